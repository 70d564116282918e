CREATE TABLE `cash` (
	`venue` text NOT NULL,
	`asset` text NOT NULL,
	`amount` text NOT NULL,
	`opening` text NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`venue`, `asset`)
);
--> statement-breakpoint
CREATE TABLE `equity_snapshots` (
	`id` text PRIMARY KEY NOT NULL,
	`asset` text NOT NULL,
	`symbol` text NOT NULL,
	`number` integer NOT NULL,
	`time` integer NOT NULL,
	`cash` text NOT NULL,
	`holdings` text NOT NULL,
	`equity` text NOT NULL,
	`realized` text NOT NULL,
	`cause` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `equity_snapshots_asset_time` ON `equity_snapshots` (`asset`,`time`);--> statement-breakpoint
CREATE UNIQUE INDEX `equity_snapshots_symbol_number` ON `equity_snapshots` (`symbol`,`number`);--> statement-breakpoint
CREATE TABLE `executions` (
	`opportunity_id` text PRIMARY KEY NOT NULL,
	`symbol` text NOT NULL,
	`buy_venue` text NOT NULL,
	`sell_venue` text NOT NULL,
	`status` text NOT NULL,
	`outcome` text,
	`reason` text,
	`facts` text,
	`quantity` text,
	`buy_limit` text,
	`sell_limit` text,
	`token` integer,
	`holder` text,
	`decided_at` integer NOT NULL,
	`completed_at` integer,
	`simulated` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `executions_status` ON `executions` (`status`);--> statement-breakpoint
CREATE TABLE `fences` (
	`resource` text PRIMARY KEY NOT NULL,
	`token` integer NOT NULL,
	`holder` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `fills` (
	`id` text PRIMARY KEY NOT NULL,
	`client_order_id` text NOT NULL,
	`opportunity_id` text NOT NULL,
	`leg` integer NOT NULL,
	`venue` text NOT NULL,
	`symbol` text NOT NULL,
	`side` text NOT NULL,
	`price` text NOT NULL,
	`quantity` text NOT NULL,
	`fee` text NOT NULL,
	`fee_asset` text NOT NULL,
	`time` integer NOT NULL,
	`simulated` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `fills_opportunity_id` ON `fills` (`opportunity_id`);--> statement-breakpoint
CREATE INDEX `fills_time` ON `fills` (`time`);--> statement-breakpoint
CREATE TABLE `inbox` (
	`consumer_group` text NOT NULL,
	`event_id` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`consumer_group`, `event_id`)
);
--> statement-breakpoint
CREATE INDEX `inbox_at` ON `inbox` (`at`);--> statement-breakpoint
CREATE TABLE `intents` (
	`client_order_id` text PRIMARY KEY NOT NULL,
	`opportunity_id` text NOT NULL,
	`leg` integer NOT NULL,
	`venue` text NOT NULL,
	`symbol` text NOT NULL,
	`side` text NOT NULL,
	`quantity` text NOT NULL,
	`limit_price` text,
	`token` integer NOT NULL,
	`status` text NOT NULL,
	`reason` text,
	`filled` text NOT NULL,
	`decided_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `intents_status` ON `intents` (`status`);--> statement-breakpoint
CREATE UNIQUE INDEX `intents_opportunity_id_leg` ON `intents` (`opportunity_id`,`leg`);--> statement-breakpoint
CREATE TABLE `inventory` (
	`venue` text NOT NULL,
	`asset` text NOT NULL,
	`opening` text NOT NULL,
	`total` text NOT NULL,
	`reserved` text NOT NULL,
	PRIMARY KEY(`venue`, `asset`)
);
--> statement-breakpoint
CREATE TABLE `opportunities` (
	`id` text PRIMARY KEY NOT NULL,
	`symbol` text NOT NULL,
	`buy_venue` text NOT NULL,
	`sell_venue` text NOT NULL,
	`opened_at` integer NOT NULL,
	`last_seen_at` integer NOT NULL,
	`closed_at` integer,
	`reason` text NOT NULL,
	`buy_price` real NOT NULL,
	`sell_price` real NOT NULL,
	`edge_bps` real NOT NULL,
	`best_edge_bps` real NOT NULL,
	`quantity` real NOT NULL,
	`profit` real NOT NULL,
	`buy_limit` real NOT NULL,
	`sell_limit` real NOT NULL,
	`simulated` integer NOT NULL,
	`sources` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `opportunities_opened_at` ON `opportunities` (`opened_at`);--> statement-breakpoint
CREATE INDEX `opportunities_symbol_opened_at` ON `opportunities` (`symbol`,`opened_at`);--> statement-breakpoint
CREATE TABLE `outbox` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`kind` text NOT NULL,
	`target` text NOT NULL,
	`event_id` text NOT NULL,
	`time` integer NOT NULL,
	`type` text,
	`traceparent` text,
	`data` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `outbox_event_id` ON `outbox` (`event_id`);--> statement-breakpoint
CREATE TABLE `positions` (
	`venue` text NOT NULL,
	`symbol` text NOT NULL,
	`bought_quantity` text NOT NULL,
	`bought_notional` text NOT NULL,
	`sold_quantity` text NOT NULL,
	`sold_notional` text NOT NULL,
	`fees` text NOT NULL,
	`last_price` text NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`venue`, `symbol`)
);
--> statement-breakpoint
CREATE TABLE `reservations` (
	`opportunity_id` text NOT NULL,
	`venue` text NOT NULL,
	`asset` text NOT NULL,
	`amount` text NOT NULL,
	PRIMARY KEY(`opportunity_id`, `venue`, `asset`)
);
--> statement-breakpoint
CREATE TABLE `trades` (
	`opportunity_id` text PRIMARY KEY NOT NULL,
	`symbol` text NOT NULL,
	`buy_venue` text NOT NULL,
	`sell_venue` text NOT NULL,
	`bought_quantity` text NOT NULL,
	`bought_notional` text NOT NULL,
	`sold_quantity` text NOT NULL,
	`sold_notional` text NOT NULL,
	`fees` text NOT NULL,
	`profit` text NOT NULL,
	`residual_quantity` text NOT NULL,
	`residual_notional` text NOT NULL,
	`outcome` text,
	`opened_at` integer NOT NULL,
	`completed_at` integer,
	`simulated` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `trades_completed_at` ON `trades` (`completed_at`);--> statement-breakpoint
CREATE TABLE `venue_orders` (
	`client_order_id` text PRIMARY KEY NOT NULL,
	`venue` text NOT NULL,
	`symbol` text NOT NULL,
	`side` text NOT NULL,
	`quantity` text NOT NULL,
	`limit_price` text,
	`status` text NOT NULL,
	`reason` text,
	`fills` text NOT NULL,
	`time` integer NOT NULL
);
