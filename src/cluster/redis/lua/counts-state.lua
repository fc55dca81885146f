-- KEYS: places. ARGV: incarnation, count, version, lifetime of the key, former incarnation of this node or ''.
-- @include counts-state-own
state()
return 1
