import {
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Channels } from 'gatehouse';

const EVERY_MS = 200;
/** South, west, north and east of the city, and the distance of its streets, in degrees. */
const CITY = { south: 52.44, west: 13.26, north: 52.58, east: 13.54 };
const STREET = 0.002;
/** Degrees in one step: about 50 km/h. */
const STEP = 0.000_025;

interface Vehicle {
  lat: number;
  lon: number;
  /** 0 to 3: north, east, south, west. */
  heading: number;
}

/** Vehicles that are not there: each drives along streets, turns at some corners, and says five times a second where it is. */
@Injectable()
export class Fleet implements OnApplicationBootstrap, OnApplicationShutdown {
  static size = 2_000;
  private readonly vehicles: readonly Vehicle[] = Array.from({ length: Fleet.size }, () => ({
    lat: onStreet(between(CITY.south, CITY.north)),
    lon: onStreet(between(CITY.west, CITY.east)),
    heading: Math.floor(Math.random() * 4),
  }));
  private readonly logger = new Logger('Fleet');
  private timer: NodeJS.Timeout | undefined;

  // Named, because the compiler of the examples writes no metadata.
  constructor(@Inject(Channels) private readonly channels: Channels) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.step().catch((error: unknown) => this.logger.warn(error)), EVERY_MS);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** All vehicles drive on. What leaves for a client is one message for each cell that it looks at. */
  async step(): Promise<void> {
    const state = this.channels.state('fleet:city');
    await Promise.all(this.vehicles.map((vehicle, index) => state.set(`v${index}`, drive(vehicle))));
  }
}

function drive(vehicle: Vehicle): Vehicle {
  const isAtCorner =
    Math.abs(vehicle.lat - onStreet(vehicle.lat)) < STEP && Math.abs(vehicle.lon - onStreet(vehicle.lon)) < STEP;
  if (isAtCorner && Math.random() < 0.3) {
    vehicle.lat = onStreet(vehicle.lat);
    vehicle.lon = onStreet(vehicle.lon);
    vehicle.heading = (vehicle.heading + (Math.random() < 0.5 ? 1 : 3)) % 4;
  }
  if (vehicle.lat > CITY.north) vehicle.heading = 2;
  if (vehicle.lat < CITY.south) vehicle.heading = 0;
  if (vehicle.lon > CITY.east) vehicle.heading = 3;
  if (vehicle.lon < CITY.west) vehicle.heading = 1;
  vehicle.lat += [STEP, 0, -STEP, 0][vehicle.heading] ?? 0;
  vehicle.lon += [0, STEP, 0, -STEP][vehicle.heading] ?? 0;
  return { ...vehicle };
}

const between = (from: number, to: number): number => from + Math.random() * (to - from);
const onStreet = (degrees: number): number => Math.round(degrees / STREET) * STREET;

@Module({ providers: [Fleet] })
export default class FleetModule {}
