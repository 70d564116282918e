CREATE TABLE "cash" (
	"venue" text COLLATE "C" NOT NULL,
	"asset" text COLLATE "C" NOT NULL,
	"amount" numeric NOT NULL,
	"opening" numeric NOT NULL,
	"updated_at" bigint NOT NULL,
	CONSTRAINT "cash_venue_asset_pk" PRIMARY KEY("venue","asset")
);
--> statement-breakpoint
CREATE TABLE "equity_snapshots" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"asset" text COLLATE "C" NOT NULL,
	"symbol" text COLLATE "C" NOT NULL,
	"number" bigint NOT NULL,
	"time" bigint NOT NULL,
	"cash" numeric NOT NULL,
	"holdings" numeric NOT NULL,
	"equity" numeric NOT NULL,
	"realized" numeric NOT NULL,
	"cause" text COLLATE "C" NOT NULL,
	CONSTRAINT "equity_snapshots_symbol_number" UNIQUE("symbol","number")
);
--> statement-breakpoint
CREATE TABLE "executions" (
	"opportunity_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"symbol" text COLLATE "C" NOT NULL,
	"buy_venue" text COLLATE "C" NOT NULL,
	"sell_venue" text COLLATE "C" NOT NULL,
	"status" text COLLATE "C" NOT NULL,
	"outcome" text COLLATE "C",
	"reason" text COLLATE "C",
	"facts" json,
	"quantity" numeric,
	"buy_limit" numeric,
	"sell_limit" numeric,
	"token" bigint,
	"holder" text COLLATE "C",
	"decided_at" bigint NOT NULL,
	"completed_at" bigint,
	"simulated" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "fences" (
	"resource" text COLLATE "C" PRIMARY KEY NOT NULL,
	"token" bigint NOT NULL,
	"holder" text COLLATE "C" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "fills" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"client_order_id" text COLLATE "C" NOT NULL,
	"opportunity_id" text COLLATE "C" NOT NULL,
	"leg" bigint NOT NULL,
	"venue" text COLLATE "C" NOT NULL,
	"symbol" text COLLATE "C" NOT NULL,
	"side" text COLLATE "C" NOT NULL,
	"price" numeric NOT NULL,
	"quantity" numeric NOT NULL,
	"fee" numeric NOT NULL,
	"fee_asset" text COLLATE "C" NOT NULL,
	"time" bigint NOT NULL,
	"simulated" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "inbox" (
	"consumer_group" text COLLATE "C" NOT NULL,
	"event_id" text COLLATE "C" NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "inbox_consumer_group_event_id_pk" PRIMARY KEY("consumer_group","event_id")
);
--> statement-breakpoint
CREATE TABLE "intents" (
	"client_order_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"opportunity_id" text COLLATE "C" NOT NULL,
	"leg" bigint NOT NULL,
	"venue" text COLLATE "C" NOT NULL,
	"symbol" text COLLATE "C" NOT NULL,
	"side" text COLLATE "C" NOT NULL,
	"quantity" numeric NOT NULL,
	"limit_price" numeric,
	"token" bigint NOT NULL,
	"status" text COLLATE "C" NOT NULL,
	"reason" text COLLATE "C",
	"filled" numeric NOT NULL,
	"decided_at" bigint NOT NULL,
	CONSTRAINT "intents_opportunity_id_leg" UNIQUE("opportunity_id","leg")
);
--> statement-breakpoint
CREATE TABLE "inventory" (
	"venue" text COLLATE "C" NOT NULL,
	"asset" text COLLATE "C" NOT NULL,
	"opening" numeric NOT NULL,
	"total" numeric NOT NULL,
	"reserved" numeric NOT NULL,
	CONSTRAINT "inventory_venue_asset_pk" PRIMARY KEY("venue","asset")
);
--> statement-breakpoint
CREATE TABLE "opportunities" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"symbol" text COLLATE "C" NOT NULL,
	"buy_venue" text COLLATE "C" NOT NULL,
	"sell_venue" text COLLATE "C" NOT NULL,
	"opened_at" bigint NOT NULL,
	"last_seen_at" bigint NOT NULL,
	"closed_at" bigint,
	"reason" text COLLATE "C" NOT NULL,
	"buy_price" double precision NOT NULL,
	"sell_price" double precision NOT NULL,
	"edge_bps" double precision NOT NULL,
	"best_edge_bps" double precision NOT NULL,
	"quantity" double precision NOT NULL,
	"profit" double precision NOT NULL,
	"buy_limit" double precision NOT NULL,
	"sell_limit" double precision NOT NULL,
	"simulated" boolean NOT NULL,
	"sources" json NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text COLLATE "C" NOT NULL,
	"target" text COLLATE "C" NOT NULL,
	"event_id" text COLLATE "C" NOT NULL,
	"time" bigint NOT NULL,
	"type" text COLLATE "C",
	"traceparent" text COLLATE "C",
	"data" text COLLATE "C" NOT NULL,
	CONSTRAINT "outbox_event_id" UNIQUE("event_id")
);
--> statement-breakpoint
CREATE TABLE "positions" (
	"venue" text COLLATE "C" NOT NULL,
	"symbol" text COLLATE "C" NOT NULL,
	"bought_quantity" numeric NOT NULL,
	"bought_notional" numeric NOT NULL,
	"sold_quantity" numeric NOT NULL,
	"sold_notional" numeric NOT NULL,
	"fees" numeric NOT NULL,
	"last_price" numeric NOT NULL,
	"updated_at" bigint NOT NULL,
	CONSTRAINT "positions_venue_symbol_pk" PRIMARY KEY("venue","symbol")
);
--> statement-breakpoint
CREATE TABLE "reservations" (
	"opportunity_id" text COLLATE "C" NOT NULL,
	"venue" text COLLATE "C" NOT NULL,
	"asset" text COLLATE "C" NOT NULL,
	"amount" numeric NOT NULL,
	CONSTRAINT "reservations_opportunity_id_venue_asset_pk" PRIMARY KEY("opportunity_id","venue","asset")
);
--> statement-breakpoint
CREATE TABLE "trades" (
	"opportunity_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"symbol" text COLLATE "C" NOT NULL,
	"buy_venue" text COLLATE "C" NOT NULL,
	"sell_venue" text COLLATE "C" NOT NULL,
	"bought_quantity" numeric NOT NULL,
	"bought_notional" numeric NOT NULL,
	"sold_quantity" numeric NOT NULL,
	"sold_notional" numeric NOT NULL,
	"fees" numeric NOT NULL,
	"profit" numeric NOT NULL,
	"residual_quantity" numeric NOT NULL,
	"residual_notional" numeric NOT NULL,
	"outcome" text COLLATE "C",
	"opened_at" bigint NOT NULL,
	"completed_at" bigint,
	"simulated" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "venue_orders" (
	"client_order_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"venue" text COLLATE "C" NOT NULL,
	"symbol" text COLLATE "C" NOT NULL,
	"side" text COLLATE "C" NOT NULL,
	"quantity" numeric NOT NULL,
	"limit_price" numeric,
	"status" text COLLATE "C" NOT NULL,
	"reason" text COLLATE "C",
	"fills" json NOT NULL,
	"time" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "equity_snapshots_asset_time" ON "equity_snapshots" USING btree ("asset","time");--> statement-breakpoint
CREATE INDEX "executions_status" ON "executions" USING btree ("status");--> statement-breakpoint
CREATE INDEX "fills_opportunity_id" ON "fills" USING btree ("opportunity_id");--> statement-breakpoint
CREATE INDEX "fills_time" ON "fills" USING btree ("time");--> statement-breakpoint
CREATE INDEX "inbox_at" ON "inbox" USING btree ("at");--> statement-breakpoint
CREATE INDEX "intents_status" ON "intents" USING btree ("status");--> statement-breakpoint
CREATE INDEX "opportunities_opened_at" ON "opportunities" USING btree ("opened_at");--> statement-breakpoint
CREATE INDEX "opportunities_symbol_opened_at" ON "opportunities" USING btree ("symbol","opened_at");--> statement-breakpoint
CREATE INDEX "trades_completed_at" ON "trades" USING btree ("completed_at");