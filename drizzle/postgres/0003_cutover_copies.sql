ALTER TABLE "cutovers" ADD COLUMN "complete" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "cutovers" ADD COLUMN "copied" text COLLATE "C";--> statement-breakpoint
ALTER TABLE "parity_runs" ADD COLUMN "revision" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "parity_runs" ADD COLUMN "kind" text COLLATE "C" DEFAULT 'full' NOT NULL;