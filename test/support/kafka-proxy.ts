import type { KafkaCluster } from './kafka-cluster.js';
import { TcpProxy } from './tcp-proxy.js';

/**
 * A network between a Kafka cluster and a client, which can fail. `await using` ends it. Clients go to the addresses that
 * brokers answer, so these become those of the proxies.
 */
export class KafkaProxy implements AsyncDisposable {
  private constructor(private readonly proxies: readonly TcpProxy[]) {}

  static async start({ brokers }: KafkaCluster): Promise<KafkaProxy> {
    const ports = brokers.map((broker) => Number(broker.split(':').at(-1)));
    const proxies = await Promise.all(ports.map((port) => TcpProxy.start(port)));
    const addresses = ports.map((port, index) => [addressOf(port), addressOf(proxies[index]?.port ?? 0)] as const);
    for (const proxy of proxies) proxy.answers = () => answersWith(addresses);
    return new KafkaProxy(proxies);
  }

  get brokers(): readonly string[] {
    return this.proxies.map(({ port }) => `127.0.0.1:${port}`);
  }

  /** Ends all connections, and refuses new ones until `restore`. */
  cut(): void {
    for (const proxy of this.proxies) {
      proxy.refuses = true;
      proxy.cut();
    }
  }

  restore(): void {
    for (const proxy of this.proxies) proxy.refuses = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
  }
}

/** Host and port, as answers have them. */
function addressOf(port: number): Buffer {
  const host = '127.0.0.1';
  const bytes = Buffer.alloc(2 + host.length + 4);
  bytes.writeInt16BE(host.length);
  bytes.write(host, 2);
  bytes.writeInt32BE(port, 2 + host.length);
  return bytes;
}

/** Changes the addresses in whole answers, each of which begins with its length. */
function answersWith(addresses: readonly (readonly [from: Buffer, to: Buffer])[]): (bytes: Buffer) => Buffer {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    let end = 0;
    while (rest.length >= end + 4 && rest.length >= end + 4 + rest.readInt32BE(end)) end += 4 + rest.readInt32BE(end);
    const whole = rest.subarray(0, end);
    rest = rest.subarray(end);
    // All are found before the first is changed, which could look like another.
    const found = addresses.flatMap(([from, to]) => placesOf(from, whole).map((place) => [place, to] as const));
    for (const [place, to] of found) to.copy(whole, place);
    return whole;
  };
}

function placesOf(wanted: Buffer, bytes: Buffer): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) places.push(at);
  return places;
}
