import {
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Channels } from 'gatehouse';

const MACHINES = ['feeder', 'press', 'oven', 'cooler', 'printer', 'packer'] as const;
const EVERY_MS = 200;
/** Degrees above which the line raises an alarm. */
const LIMIT = 240;

interface Machine {
  temperature: number;
  speed: number;
  parts: number;
  alarm: boolean;
}

/** A production line that is not there: its sensors are set five times a second. */
@Injectable()
export class Line implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly machines = new Map<string, Machine>(
    MACHINES.map((name) => [name, { temperature: name === 'oven' ? 236 : 40, speed: 1, parts: 0, alarm: false }]),
  );
  private readonly beganAt = performance.now();
  private readonly logger = new Logger('Line');
  private timer: NodeJS.Timeout | undefined;

  // Named, because the compiler of the examples writes no metadata.
  constructor(@Inject(Channels) private readonly channels: Channels) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.step().catch((error: unknown) => this.logger.warn(error)), EVERY_MS);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** All machines read their sensors. Only what has changed leaves the server. */
  async step(): Promise<void> {
    const now = performance.now() - this.beganAt;
    const line = this.channels.state('twin:line-1');
    const changes = [...this.machines].map(([name, machine], index) => {
      const heat = name === 'oven' ? 230 + 16 * Math.sin(1 + now / 3_000) : 40 + 4 * Math.sin(now / 3_000 + index);
      machine.temperature += 0.3 * (heat - machine.temperature) + (Math.random() - 0.5);
      machine.speed = 1 + 0.1 * Math.sin(now / 5_000 + index);
      machine.parts += machine.speed * (EVERY_MS / 1_000);
      return line.set(name, { ...machine, parts: Math.floor(machine.parts) });
    });
    await Promise.all([...changes, ...this.alarms()]);
  }

  /** One event when a machine becomes too hot, and one when it has cooled. */
  private alarms(): readonly Promise<unknown>[] {
    return [...this.machines].flatMap(([machine, value]) => {
      const isHot = value.temperature > LIMIT;
      if (isHot === value.alarm) return [];
      value.alarm = isHot;
      const { temperature } = value;
      return [
        this.channels.publish('alarm:line-1', { machine, isHot, temperature: Math.round(temperature * 10) / 10 }),
      ];
    });
  }
}

@Module({ providers: [Line] })
export default class TwinModule {}
