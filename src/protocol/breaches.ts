import type { CloseName } from '@gatehouse/protocol';

/** Closes because the client broke a rule. Each is counted by its name, and further input of the client is not read. */
export const BREACHES: ReadonlySet<CloseName> = new Set([
  'protocol_error',
  'wrong_frame_kind',
  'invalid_utf8',
  'invalid_compression',
  'too_many_protocol_errors',
  'message_timeout',
  'too_many_fragments',
  'too_many_control_frames',
  'too_many_messages',
  'message_too_large',
  'inbound_overflow',
]);
