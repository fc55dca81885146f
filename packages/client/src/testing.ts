export { Refusal, type TestHandler, type TestRequest } from './testing/answers.js';
export { TestServer, type TestServerOptions } from './testing/test-server.js';
export { seededRandom, VirtualClock } from './testing/virtual-clock.js';
