CREATE TABLE "candles" (
	"source" text COLLATE "C" NOT NULL,
	"ticker" text COLLATE "C" NOT NULL,
	"interval" text COLLATE "C" NOT NULL,
	"time" bigint NOT NULL,
	"open" double precision NOT NULL,
	"high" double precision NOT NULL,
	"low" double precision NOT NULL,
	"close" double precision NOT NULL,
	"volume" double precision NOT NULL,
	"ma10" double precision,
	"ma20" double precision,
	"ma50" double precision,
	"ma100" double precision,
	"ma200" double precision,
	"ma10_score" double precision,
	"ma20_score" double precision,
	"ma50_score" double precision,
	"ma100_score" double precision,
	"ma200_score" double precision,
	"close_changed" double precision,
	"volume_changed" double precision,
	"total_money_changed" double precision,
	"updated_at" bigint NOT NULL,
	CONSTRAINT "candles_source_ticker_interval_time_pk" PRIMARY KEY("source","ticker","interval","time")
);
--> statement-breakpoint
CREATE TABLE "cutover_changes" (
	"feature" text COLLATE "C" NOT NULL,
	"revision" bigint NOT NULL,
	"from_phase" text COLLATE "C" NOT NULL,
	"to_phase" text COLLATE "C" NOT NULL,
	"reason" text COLLATE "C" NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "cutover_changes_feature_revision_pk" PRIMARY KEY("feature","revision")
);
--> statement-breakpoint
CREATE TABLE "cutovers" (
	"feature" text COLLATE "C" PRIMARY KEY NOT NULL,
	"phase" text COLLATE "C" NOT NULL,
	"revision" bigint NOT NULL,
	"changed_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "imports" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"kind" text COLLATE "C" NOT NULL,
	"path" text COLLATE "C" NOT NULL,
	"bytes" bigint NOT NULL,
	"offset" bigint NOT NULL,
	"read" bigint NOT NULL,
	"stored" bigint NOT NULL,
	"duplicate" bigint NOT NULL,
	"quarantined" json NOT NULL,
	"done" boolean NOT NULL,
	"started_at" bigint NOT NULL,
	"updated_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "parity_differences" (
	"run" text COLLATE "C" NOT NULL,
	"key" text COLLATE "C" NOT NULL,
	"legacy" text COLLATE "C",
	"current" text COLLATE "C",
	CONSTRAINT "parity_differences_run_key_pk" PRIMARY KEY("run","key")
);
--> statement-breakpoint
CREATE TABLE "parity_runs" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"feature" text COLLATE "C" NOT NULL,
	"started_at" bigint NOT NULL,
	"ended_at" bigint,
	"compared" bigint NOT NULL,
	"different" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "quarantine" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"kind" text COLLATE "C" NOT NULL,
	"origin" text COLLATE "C" NOT NULL,
	"position" bigint NOT NULL,
	"reason" text COLLATE "C" NOT NULL,
	"detail" text COLLATE "C" NOT NULL,
	"symbol" text COLLATE "C",
	"source" text COLLATE "C",
	"time" bigint,
	"text" text COLLATE "C" NOT NULL,
	"at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tick_quality" (
	"day" text COLLATE "C" NOT NULL,
	"symbol" text COLLATE "C" NOT NULL,
	"source" text COLLATE "C" NOT NULL,
	"ticks" bigint NOT NULL,
	"gaps" bigint NOT NULL,
	"max_gap_ms" double precision NOT NULL,
	"quarantined" json NOT NULL,
	"min_spread" double precision,
	"avg_spread" double precision,
	"max_spread" double precision,
	"score" double precision NOT NULL,
	"computed_at" bigint NOT NULL,
	CONSTRAINT "tick_quality_day_symbol_source_pk" PRIMARY KEY("day","symbol","source")
);
--> statement-breakpoint
CREATE INDEX "parity_runs_feature" ON "parity_runs" USING btree ("feature","started_at");--> statement-breakpoint
CREATE INDEX "quarantine_kind_time" ON "quarantine" USING btree ("kind","time");--> statement-breakpoint
CREATE INDEX "quarantine_symbol" ON "quarantine" USING btree ("symbol");