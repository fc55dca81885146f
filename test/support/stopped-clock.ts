export { StoppedClock } from '../../src/testing/stopped-clock.js';
