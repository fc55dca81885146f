/** How many times larger a test is in `npm run test:soak`: its random walks, or its number of clients. */
export const SOAK_TIMES = Number(process.env['SOAK_TIMES'] ?? 1);
