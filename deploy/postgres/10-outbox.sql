-- The outbox of Gatehouse, for PostgreSQL 14 or later. See docs/outbox.md.

CREATE TABLE IF NOT EXISTS gatehouse_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- The transaction that wrote the row. A row is published when no older transaction can write one any more.
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  channel text NOT NULL,
  data jsonb NOT NULL,
  options jsonb
);

CREATE INDEX IF NOT EXISTS gatehouse_outbox_order ON gatehouse_outbox (xid, id);

-- Rows come and go, so vacuum by count and not by share.
ALTER TABLE gatehouse_outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- Rows that cannot be published, and why.
CREATE TABLE IF NOT EXISTS gatehouse_outbox_refused (
  id bigint PRIMARY KEY,
  at timestamptz NOT NULL,
  channel text NOT NULL,
  data jsonb NOT NULL,
  options jsonb,
  reason text NOT NULL,
  refused_at timestamptz NOT NULL DEFAULT now()
);

-- SELECT gatehouse_publish('order:17', '{"state": "paid"}');
CREATE OR REPLACE FUNCTION gatehouse_publish(channel text, data jsonb, options jsonb DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  INSERT INTO gatehouse_outbox (channel, data, options) VALUES ($1, $2, $3) RETURNING id;
END;
