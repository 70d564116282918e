CREATE TABLE "agent_analyses" (
	"symbol" text COLLATE "C" NOT NULL,
	"agent_type" text COLLATE "C" NOT NULL,
	"score" double precision NOT NULL,
	"confidence" double precision NOT NULL,
	"signals" json NOT NULL,
	"reasoning" text COLLATE "C" NOT NULL,
	"created_at" bigint NOT NULL,
	"change" bigint NOT NULL,
	CONSTRAINT "agent_analyses_symbol_agent_type_created_at_pk" PRIMARY KEY("symbol","agent_type","created_at")
);
--> statement-breakpoint
CREATE TABLE "agent_learnings" (
	"agent_type" text COLLATE "C" NOT NULL,
	"pattern" text COLLATE "C" NOT NULL,
	"accuracy" double precision NOT NULL,
	"sample_size" bigint NOT NULL,
	"last_updated" bigint NOT NULL,
	"change" bigint NOT NULL,
	CONSTRAINT "agent_learnings_agent_type_pattern_pk" PRIMARY KEY("agent_type","pattern")
);
--> statement-breakpoint
CREATE TABLE "agent_memory" (
	"context_type" text COLLATE "C" NOT NULL,
	"key" text COLLATE "C" NOT NULL,
	"value" json NOT NULL,
	"time" bigint NOT NULL,
	"ends_at" bigint NOT NULL,
	"change" bigint NOT NULL,
	CONSTRAINT "agent_memory_context_type_key_pk" PRIMARY KEY("context_type","key")
);
--> statement-breakpoint
CREATE TABLE "conversation_messages" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"model" text COLLATE "C" NOT NULL,
	"topic" text COLLATE "C" NOT NULL,
	"role" text COLLATE "C" NOT NULL,
	"content" text COLLATE "C" NOT NULL,
	"time" bigint NOT NULL,
	"change" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "decision_cycles" (
	"model" text COLLATE "C" NOT NULL,
	"cycle" bigint NOT NULL,
	"prompt_digest" text COLLATE "C" NOT NULL,
	"trace" text COLLATE "C" NOT NULL,
	"decisions" json NOT NULL,
	"success" boolean NOT NULL,
	"error" text COLLATE "C" NOT NULL,
	"executed_at" bigint NOT NULL,
	"change" bigint NOT NULL,
	CONSTRAINT "decision_cycles_model_cycle_pk" PRIMARY KEY("model","cycle")
);
--> statement-breakpoint
CREATE TABLE "global_scores" (
	"symbol" text COLLATE "C" PRIMARY KEY NOT NULL,
	"score" double precision NOT NULL,
	"agent_scores" json NOT NULL,
	"time" bigint NOT NULL,
	"change" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "insight_changes" (
	"kind" text COLLATE "C" PRIMARY KEY NOT NULL,
	"change" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sr_levels" (
	"symbol" text COLLATE "C" NOT NULL,
	"timeframe" text COLLATE "C" NOT NULL,
	"levels" json NOT NULL,
	"updated_at" bigint NOT NULL,
	"change" bigint NOT NULL,
	CONSTRAINT "sr_levels_symbol_timeframe_pk" PRIMARY KEY("symbol","timeframe")
);
--> statement-breakpoint
CREATE TABLE "trader_states" (
	"trader" text COLLATE "C" PRIMARY KEY NOT NULL,
	"exchange_provider" text COLLATE "C" NOT NULL,
	"market_provider" text COLLATE "C" NOT NULL,
	"allocation_pct" numeric NOT NULL,
	"cooldown" json NOT NULL,
	"risk_guards" json NOT NULL,
	"last_decision_at" bigint,
	"pause_until" bigint,
	"updated_at" bigint NOT NULL,
	"change" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "user_preferences" (
	"user_id" text COLLATE "C" NOT NULL,
	"pref_key" text COLLATE "C" NOT NULL,
	"value" json NOT NULL,
	"updated_at" bigint NOT NULL,
	"change" bigint NOT NULL,
	CONSTRAINT "user_preferences_user_id_pref_key_pk" PRIMARY KEY("user_id","pref_key")
);
--> statement-breakpoint
CREATE INDEX "agent_analyses_change" ON "agent_analyses" USING btree ("change");--> statement-breakpoint
CREATE INDEX "agent_learnings_change" ON "agent_learnings" USING btree ("change");--> statement-breakpoint
CREATE INDEX "agent_memory_ends_at" ON "agent_memory" USING btree ("ends_at");--> statement-breakpoint
CREATE INDEX "agent_memory_change" ON "agent_memory" USING btree ("change");--> statement-breakpoint
CREATE INDEX "conversation_messages_model_time" ON "conversation_messages" USING btree ("model","time");--> statement-breakpoint
CREATE INDEX "conversation_messages_change" ON "conversation_messages" USING btree ("change");--> statement-breakpoint
CREATE INDEX "decision_cycles_model_executed_at" ON "decision_cycles" USING btree ("model","executed_at");--> statement-breakpoint
CREATE INDEX "decision_cycles_change" ON "decision_cycles" USING btree ("change");--> statement-breakpoint
CREATE INDEX "global_scores_time" ON "global_scores" USING btree ("time");--> statement-breakpoint
CREATE INDEX "global_scores_change" ON "global_scores" USING btree ("change");--> statement-breakpoint
CREATE INDEX "sr_levels_change" ON "sr_levels" USING btree ("change");--> statement-breakpoint
CREATE INDEX "trader_states_change" ON "trader_states" USING btree ("change");--> statement-breakpoint
CREATE INDEX "user_preferences_change" ON "user_preferences" USING btree ("change");