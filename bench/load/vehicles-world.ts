import type { World } from './scene-world.js';

const updatesPerVehicle = 10;
/** The one channel where each update is a publication. */
const everywhere = 'all';
const lines = ['north', 'harbour', 'ring', 'airport'];
const places = new Map<string, Place>();

interface Place {
  readonly lat: number;
  readonly lon: number;
  readonly speed: number;
}

/** Vehicles of ten fields that drive on. Five of the fields change ten times a second. Everybody sees all. */
export const vehicles: World = {
  channel: 'vehicles:a',
  movers: (updatesPerSecond) =>
    Array.from({ length: updatesPerSecond / updatesPerVehicle }, (_, n) => ({ id: `vehicle-${n}`, cell: everywhere })),
  move: ({ id }, t) => {
    const last = places.get(id) ?? { lat: 52.5, lon: 13.4, speed: 50 };
    const place = {
      lat: rounded(last.lat + drift(0.0005), 5),
      lon: rounded(last.lon + drift(0.0005), 5),
      speed: rounded(Math.min(130, Math.max(0, last.speed + drift(4))), 1),
    };
    places.set(id, place);
    return { ...place, heading: Math.floor(360 * Math.random()), t };
  },
  rest: ({ id }) => ({
    id,
    line: lines[id.length % lines.length],
    model: 'Citaro G',
    seats: 45,
    isAccessible: true,
  }),
  view: () => ({ box: null, cells: [everywhere] }),
};

function drift(most: number): number {
  return most * (Math.random() - 0.5);
}

function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
