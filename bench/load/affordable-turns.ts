/** Half a core: neither asleep, where each write wakes a sleeping reader up, nor in arrears, where turns run together. */
const wantedShare = 0.5;
const slowestTurnsPerSecond = 2;
/** Beyond this the generator's own core could not read everything in time. */
const mostDeliveriesPerSecond = 500_000;

/** How many turns a second a server is given so that it is half busy. */
export function affordableTurns(microsecondsPerDelivery: number, deliveriesPerTurn: number): number {
  const affordable = (wantedShare * 1_000_000) / (microsecondsPerDelivery * deliveriesPerTurn);
  return Math.min(mostDeliveriesPerSecond / deliveriesPerTurn, Math.max(slowestTurnsPerSecond, affordable));
}
