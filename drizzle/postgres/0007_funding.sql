CREATE TABLE "asset_contexts" (
	"venue" text COLLATE "C" NOT NULL,
	"symbol" text COLLATE "C" NOT NULL,
	"funding" numeric,
	"open_interest" numeric,
	"oracle_price" numeric,
	"mark_price" numeric,
	"mid_price" numeric,
	"impact_prices" json,
	"previous_day_price" numeric,
	"day_notional_volume" numeric,
	"day_base_volume" numeric,
	"updated_at" bigint NOT NULL,
	CONSTRAINT "asset_contexts_venue_symbol_pk" PRIMARY KEY("venue","symbol")
);
--> statement-breakpoint
CREATE TABLE "funding_rates" (
	"venue" text COLLATE "C" NOT NULL,
	"symbol" text COLLATE "C" NOT NULL,
	"funding_time" bigint NOT NULL,
	"rate" numeric NOT NULL,
	"interval_hours" double precision,
	"mark_price" numeric,
	"index_price" numeric,
	"next_funding_time" bigint,
	"updated_at" bigint NOT NULL,
	CONSTRAINT "funding_rates_venue_symbol_funding_time_pk" PRIMARY KEY("venue","symbol","funding_time")
);
