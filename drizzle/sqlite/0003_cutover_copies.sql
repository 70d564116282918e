ALTER TABLE `cutovers` ADD `complete` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `cutovers` ADD `copied` text;--> statement-breakpoint
ALTER TABLE `parity_runs` ADD `revision` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `parity_runs` ADD `kind` text DEFAULT 'full' NOT NULL;