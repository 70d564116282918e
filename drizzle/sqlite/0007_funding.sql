CREATE TABLE `asset_contexts` (
	`venue` text NOT NULL,
	`symbol` text NOT NULL,
	`funding` text,
	`open_interest` text,
	`oracle_price` text,
	`mark_price` text,
	`mid_price` text,
	`impact_prices` text,
	`previous_day_price` text,
	`day_notional_volume` text,
	`day_base_volume` text,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`venue`, `symbol`)
);
--> statement-breakpoint
CREATE TABLE `funding_rates` (
	`venue` text NOT NULL,
	`symbol` text NOT NULL,
	`funding_time` integer NOT NULL,
	`rate` text NOT NULL,
	`interval_hours` real,
	`mark_price` text,
	`index_price` text,
	`next_funding_time` integer,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`venue`, `symbol`, `funding_time`)
);
