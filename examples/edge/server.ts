import { Inject, Logger, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Channels, GatehouseError, RealtimeGateway } from 'gatehouse';

const EVERY_MS = 500;
const MAX_SENSORS = 32;
/** Degrees above which the line raises an alarm. */
const LIMIT = 80;

interface Sum {
  readings: number;
  celsius: number;
  isHot: boolean;
}

/** Runs at the edge: many readings become two publications a second, and an alarm when a sensor becomes too hot. */
@RealtimeGateway()
export class Line implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly sensors = new Map<string, Sum>();
  private readonly logger = new Logger('Line');
  private timer: NodeJS.Timeout | undefined;
  private sent = 0;

  // Named, because the compiler of the examples writes no metadata.
  constructor(@Inject(Channels) private readonly channels: Channels) {}

  @SubscribeMessage('sensor.reading')
  reading(@MessageBody('sensor') sensor: unknown, @MessageBody('celsius') celsius: unknown): void {
    if (typeof sensor !== 'string' || typeof celsius !== 'number') throw new GatehouseError('VALIDATION_FAILED');
    const sum = this.sensors.get(sensor) ?? { readings: 0, celsius: 0, isHot: false };
    if (!this.sensors.has(sensor) && this.sensors.size >= MAX_SENSORS) throw new GatehouseError('SERVER_BUSY');
    this.sensors.set(sensor, sum);
    sum.readings += 1;
    sum.celsius += celsius;
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.step().catch((error: unknown) => this.logger.warn(error)), EVERY_MS);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Publishes here at once. The rules of edge.yaml send the same to the centre, now or when the link is back. */
  async step(): Promise<void> {
    const at = Date.now();
    const means: Record<string, number> = {};
    let readings = 0;
    for (const [sensor, sum] of this.sensors) {
      if (sum.readings === 0) continue;
      const mean = Math.round((sum.celsius / sum.readings) * 10) / 10;
      means[sensor] = mean;
      readings += sum.readings;
      [sum.readings, sum.celsius] = [0, 0];
      const wasHot = sum.isHot;
      sum.isHot = mean > LIMIT;
      if (sum.isHot && !wasHot) await this.channels.publish('alarms:line-1', { at, sensor, celsius: mean });
    }
    if (readings === 0) return;
    this.sent += 1;
    await this.channels.publish('telemetry:line-1', { n: this.sent, at, readings, means });
  }
}

@Module({ providers: [Line] })
export default class LineModule {}
