/** `npm run postgres:schema`: prints the SQL of the outbox. */
import { OUTBOX_SCHEMA } from './outbox/schema.js';

process.stdout.write(OUTBOX_SCHEMA);
