CREATE TABLE `candles` (
	`source` text NOT NULL,
	`ticker` text NOT NULL,
	`interval` text NOT NULL,
	`time` integer NOT NULL,
	`open` real NOT NULL,
	`high` real NOT NULL,
	`low` real NOT NULL,
	`close` real NOT NULL,
	`volume` real NOT NULL,
	`ma10` real,
	`ma20` real,
	`ma50` real,
	`ma100` real,
	`ma200` real,
	`ma10_score` real,
	`ma20_score` real,
	`ma50_score` real,
	`ma100_score` real,
	`ma200_score` real,
	`close_changed` real,
	`volume_changed` real,
	`total_money_changed` real,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`source`, `ticker`, `interval`, `time`)
);
--> statement-breakpoint
CREATE TABLE `cutover_changes` (
	`feature` text NOT NULL,
	`revision` integer NOT NULL,
	`from_phase` text NOT NULL,
	`to_phase` text NOT NULL,
	`reason` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`feature`, `revision`)
);
--> statement-breakpoint
CREATE TABLE `cutovers` (
	`feature` text PRIMARY KEY NOT NULL,
	`phase` text NOT NULL,
	`revision` integer NOT NULL,
	`changed_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `imports` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`path` text NOT NULL,
	`bytes` integer NOT NULL,
	`offset` integer NOT NULL,
	`read` integer NOT NULL,
	`stored` integer NOT NULL,
	`duplicate` integer NOT NULL,
	`quarantined` text NOT NULL,
	`done` integer NOT NULL,
	`started_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `parity_differences` (
	`run` text NOT NULL,
	`key` text NOT NULL,
	`legacy` text,
	`current` text,
	PRIMARY KEY(`run`, `key`)
);
--> statement-breakpoint
CREATE TABLE `parity_runs` (
	`id` text PRIMARY KEY NOT NULL,
	`feature` text NOT NULL,
	`started_at` integer NOT NULL,
	`ended_at` integer,
	`compared` integer NOT NULL,
	`different` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `parity_runs_feature` ON `parity_runs` (`feature`,`started_at`);--> statement-breakpoint
CREATE TABLE `quarantine` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`origin` text NOT NULL,
	`position` integer NOT NULL,
	`reason` text NOT NULL,
	`detail` text NOT NULL,
	`symbol` text,
	`source` text,
	`time` integer,
	`text` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `quarantine_kind_time` ON `quarantine` (`kind`,`time`);--> statement-breakpoint
CREATE INDEX `quarantine_symbol` ON `quarantine` (`symbol`);--> statement-breakpoint
CREATE TABLE `tick_quality` (
	`day` text NOT NULL,
	`symbol` text NOT NULL,
	`source` text NOT NULL,
	`ticks` integer NOT NULL,
	`gaps` integer NOT NULL,
	`max_gap_ms` real NOT NULL,
	`quarantined` text NOT NULL,
	`min_spread` real,
	`avg_spread` real,
	`max_spread` real,
	`score` real NOT NULL,
	`computed_at` integer NOT NULL,
	PRIMARY KEY(`day`, `symbol`, `source`)
);
