CREATE TABLE `agent_analyses` (
	`symbol` text NOT NULL,
	`agent_type` text NOT NULL,
	`score` real NOT NULL,
	`confidence` real NOT NULL,
	`signals` text NOT NULL,
	`reasoning` text NOT NULL,
	`created_at` integer NOT NULL,
	`change` integer NOT NULL,
	PRIMARY KEY(`symbol`, `agent_type`, `created_at`)
);
--> statement-breakpoint
CREATE INDEX `agent_analyses_change` ON `agent_analyses` (`change`);--> statement-breakpoint
CREATE TABLE `agent_learnings` (
	`agent_type` text NOT NULL,
	`pattern` text NOT NULL,
	`accuracy` real NOT NULL,
	`sample_size` integer NOT NULL,
	`last_updated` integer NOT NULL,
	`change` integer NOT NULL,
	PRIMARY KEY(`agent_type`, `pattern`)
);
--> statement-breakpoint
CREATE INDEX `agent_learnings_change` ON `agent_learnings` (`change`);--> statement-breakpoint
CREATE TABLE `agent_memory` (
	`context_type` text NOT NULL,
	`key` text NOT NULL,
	`value` text NOT NULL,
	`time` integer NOT NULL,
	`ends_at` integer NOT NULL,
	`change` integer NOT NULL,
	PRIMARY KEY(`context_type`, `key`)
);
--> statement-breakpoint
CREATE INDEX `agent_memory_ends_at` ON `agent_memory` (`ends_at`);--> statement-breakpoint
CREATE INDEX `agent_memory_change` ON `agent_memory` (`change`);--> statement-breakpoint
CREATE TABLE `conversation_messages` (
	`id` text PRIMARY KEY NOT NULL,
	`model` text NOT NULL,
	`topic` text NOT NULL,
	`role` text NOT NULL,
	`content` text NOT NULL,
	`time` integer NOT NULL,
	`change` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `conversation_messages_model_time` ON `conversation_messages` (`model`,`time`);--> statement-breakpoint
CREATE INDEX `conversation_messages_change` ON `conversation_messages` (`change`);--> statement-breakpoint
CREATE TABLE `decision_cycles` (
	`model` text NOT NULL,
	`cycle` integer NOT NULL,
	`prompt_digest` text NOT NULL,
	`trace` text NOT NULL,
	`decisions` text NOT NULL,
	`success` integer NOT NULL,
	`error` text NOT NULL,
	`executed_at` integer NOT NULL,
	`change` integer NOT NULL,
	PRIMARY KEY(`model`, `cycle`)
);
--> statement-breakpoint
CREATE INDEX `decision_cycles_model_executed_at` ON `decision_cycles` (`model`,`executed_at`);--> statement-breakpoint
CREATE INDEX `decision_cycles_change` ON `decision_cycles` (`change`);--> statement-breakpoint
CREATE TABLE `global_scores` (
	`symbol` text PRIMARY KEY NOT NULL,
	`score` real NOT NULL,
	`agent_scores` text NOT NULL,
	`time` integer NOT NULL,
	`change` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `global_scores_time` ON `global_scores` (`time`);--> statement-breakpoint
CREATE INDEX `global_scores_change` ON `global_scores` (`change`);--> statement-breakpoint
CREATE TABLE `insight_changes` (
	`kind` text PRIMARY KEY NOT NULL,
	`change` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `sr_levels` (
	`symbol` text NOT NULL,
	`timeframe` text NOT NULL,
	`levels` text NOT NULL,
	`updated_at` integer NOT NULL,
	`change` integer NOT NULL,
	PRIMARY KEY(`symbol`, `timeframe`)
);
--> statement-breakpoint
CREATE INDEX `sr_levels_change` ON `sr_levels` (`change`);--> statement-breakpoint
CREATE TABLE `trader_states` (
	`trader` text PRIMARY KEY NOT NULL,
	`exchange_provider` text NOT NULL,
	`market_provider` text NOT NULL,
	`allocation_pct` text NOT NULL,
	`cooldown` text NOT NULL,
	`risk_guards` text NOT NULL,
	`last_decision_at` integer,
	`pause_until` integer,
	`updated_at` integer NOT NULL,
	`change` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `trader_states_change` ON `trader_states` (`change`);--> statement-breakpoint
CREATE TABLE `user_preferences` (
	`user_id` text NOT NULL,
	`pref_key` text NOT NULL,
	`value` text NOT NULL,
	`updated_at` integer NOT NULL,
	`change` integer NOT NULL,
	PRIMARY KEY(`user_id`, `pref_key`)
);
--> statement-breakpoint
CREATE INDEX `user_preferences_change` ON `user_preferences` (`change`);