import { GreetingModule } from './gateways/greeting/greeting.module.js';

/** The modules that the server loads. `npm run generate` adds to this list. */
export default [GreetingModule];
