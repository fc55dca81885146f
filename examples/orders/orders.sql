CREATE TABLE IF NOT EXISTS orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  item text NOT NULL,
  state text NOT NULL DEFAULT 'placed',
  version int NOT NULL DEFAULT 1
);
