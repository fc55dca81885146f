// @module-tag chromium
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import LineModule from '../../examples/edge/server.js';
import { SENSORS } from '../../scripts/edge-sensors.js';
import { openEdgeSite } from '../../scripts/edge-site.js';
import { openPage } from '../support/browser-page.js';
import { EDGE_CLAIMS, published } from '../support/edge.js';
import { eventually } from '../support/eventually.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { mintToken, startTestServer } from '../support/test-server.js';

/** Set by `npm run docs:screenshots`: the folder of the pictures. */
const pictures = process.env.CONSOLE_SCREENSHOTS;
const OF_BOTH = { CHANNELS_FILE: 'examples/edge/channels.yaml', ALLOWED_ORIGINS: '*', AUTH_MODE: 'optional' };
const TELEMETRY = 'telemetry:line-1';

interface Telemetry {
  readonly n: number;
  readonly means: Readonly<Record<string, number>>;
}

describe('the example of an edge, in a browser', () => {
  it('shows both sides, stores what the edge publishes while the link is cut, and brings each once', async () => {
    await using folder = await temporaryFolder();
    await using centre = await startTestServer({ ...OF_BOTH, EDGE_CENTRE: 'on', SERVER_ID: 'centre' });
    await using link = await TcpProxy.start(centre.port);
    const edgeSettings = {
      EDGE_UPSTREAM: `ws://127.0.0.1:${link.port}/ws`,
      EDGE_TOKEN: mintToken(EDGE_CLAIMS),
      EDGE_DIR: folder.path,
      EDGE_FILE: 'examples/edge/edge.yaml',
    };
    await using edge = await startTestServer({ ...OF_BOTH, ...edgeSettings, SERVER_ID: 'edge' }, [LineModule]);
    await using site = await openEdgeSite({ link, edge: edge.url, centre: centre.url });
    await using browser = await openPage();
    const { page } = browser;
    await page.goto(site.url);
    await page.getByText('link up').waitFor();
    const [here, there] = ['Edge', 'Centre'].map((name) => page.getByRole('region', { name }));
    const arrived = async (): Promise<number> => Number(await there?.locator('.count').textContent());
    await eventually('publications arrive', async () => (await arrived()) > 2);
    if (pictures !== undefined) await page.waitForTimeout(30_000);

    await page.getByRole('button', { name: 'Cut the link' }).click();
    await page.getByText('link down').waitFor();
    await here?.getByText(/^[3-9] messages|^\d\d+ messages/).waitFor();
    if (pictures !== undefined) {
      await page.waitForTimeout(15_000);
      mkdirSync(pictures, { recursive: true });
      await page.setViewportSize({ width: 1000, height: 560 });
      await page.screenshot({ path: join(pictures, 'example-edge.png') });
    }
    const before = await arrived();
    await page.getByRole('button', { name: 'Mend the link' }).click();
    await page.getByText('link up').waitFor();
    await eventually('what waited has arrived', async () => (await arrived()) >= before + 3);
    await here?.getByText(/^[0-2] messages/).waitFor();
    expect(await there?.locator('.wrong').textContent()).toBe('0');
    const telemetry = (await published(centre, TELEMETRY)) as Telemetry[];
    expect(telemetry.map(({ n }) => n)).toEqual(telemetry.map((_, index) => index + 1));
    expect(Object.keys(telemetry.at(-1)?.means ?? {}).toSorted()).toEqual(SENSORS.toSorted());
    await eventually('the oven was too hot', async () => (await published(centre, 'alarms:line-1')).length > 0);
    expect(await published(centre, 'alarms:line-1')).toContainEqual(expect.objectContaining({ sensor: 'oven' }));
  });
});
