CREATE INDEX `trades_symbol_completed_at` ON `trades` (`symbol`,`completed_at`);--> statement-breakpoint
CREATE INDEX `venue_orders_venue_time` ON `venue_orders` (`venue`,`time`);