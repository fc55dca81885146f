import type { VNode } from 'preact';
import { call } from '../data/api.js';
import type { Activity, NodeReport } from '../data/answers.js';
import { usePoll } from '../data/poll.js';
import { canAct } from '../data/token.js';
import { hrefOf } from '../router.js';
import { ask } from '../ui/ask.js';
import { Answer, Missing, Panel, Pill } from '../ui/parts.js';
import { Sparkline, sumOf } from '../ui/sparkline.js';
import { age, bytes, count, Name } from '../ui/text.js';
import { Busiest } from './busiest.js';
import { plural } from './affected.js';

type NodeActivity = Activity['nodes'][number];

interface Row {
  readonly report: NodeReport;
  readonly activity: NodeActivity | undefined;
}

const last = (values: readonly number[] | undefined): number => values?.at(-1) ?? 0;
const shownKind = (kind: string): string => kind.replaceAll('_', ' ');

export function Overview(): VNode {
  const nodes = usePoll<{ readonly nodes: readonly NodeReport[] }>('nodes');
  const activity = usePoll<Activity>('activity');
  return (
    <>
      <h1>Overview</h1>
      <Answer poll={nodes} isEmpty={({ nodes: all }) => all.length === 0} empty="No node has reported yet.">
        {({ nodes: reports }) => {
          const sorted = reports.toSorted((left, right) => left.nodeId.localeCompare(right.nodeId));
          const rows = sorted.map((report) => ({
            report,
            activity: activity.data?.nodes.find(({ nodeId }) => nodeId === report.nodeId),
          }));
          return (
            <>
              <Missing nodes={activity.data?.missing ?? []} />
              <Health rows={rows} isKnown={activity.data !== undefined} />
              <Totals rows={rows} />
              <div class="cards">
                {rows.map((row) => (
                  <NodeCard key={row.report.nodeId} {...row} isKnown={activity.data !== undefined} />
                ))}
              </div>
              <Busiest received={receivedPerSecond(rows)} />
            </>
          );
        }}
      </Answer>
    </>
  );
}

/** The answer to the first question: is the cluster healthy? */
function Health({ rows, isKnown }: { readonly rows: readonly Row[]; readonly isKnown: boolean }): VNode {
  const problems = rows.flatMap(({ report, activity }) => problemsOf(report, activity, isKnown));
  if (problems.length === 0) {
    return (
      <p class="health good" role="status">
        <strong>Healthy.</strong> {rows.length === 1 ? 'The node is' : `${rows.length} nodes are`} ready, and nothing is
        unusual.
      </p>
    );
  }
  // An operator or a stop of the process has ordered a drain, so alone it is no alarm.
  const isWanted = problems.every((problem) => problem.endsWith(' is draining.'));
  return (
    <div class={`health ${isWanted ? 'wait' : 'bad'}`} role="status">
      <strong>{isWanted ? 'Draining.' : 'Needs attention.'}</strong>
      <ul>
        {problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
      </ul>
    </div>
  );
}

function problemsOf({ nodeId, isReady }: NodeReport, activity: NodeActivity | undefined, isKnown: boolean): string[] {
  const state = activity?.state ?? (isReady ? 'ready' : 'not ready');
  const problems = state === 'ready' ? [] : [`${nodeId} is ${state}.`];
  if (activity === undefined) return isKnown ? [`${nodeId} does not answer.`] : problems;
  if (!activity.isEngineUp) problems.push(`${nodeId} cannot use ${engineName(activity)}.`);
  for (const { kind, value, limit, since } of activity.anomalies) {
    problems.push(`${nodeId}: ${shownKind(kind)} for ${age(since)} (${count(value)}, limit ${count(limit)}).`);
  }
  return problems;
}

function receivedPerSecond(rows: readonly Row[]): number {
  return rows.reduce((sum, { activity }) => sum + last(activity?.series.received), 0);
}

function engineName({ engine }: NodeActivity): string {
  return engine === 'redis' ? 'Redis' : 'memory';
}

function Totals({ rows }: { readonly rows: readonly Row[] }): VNode {
  const series = rows.flatMap(({ activity }) => (activity ? [activity.series] : []));
  const sessions = rows.reduce((sum, { report }) => sum + report.load.sessions, 0);
  const totals = [
    ['Sessions', 'sessions', count(sessions), series.map((one) => one.sessions)],
    ['Received, messages/s', 'sessions', '', series.map((one) => one.received)],
    ['Sent, messages/s', 'channels', '', series.map((one) => one.sent)],
    ['Errors/s', 'tap', '', series.map((one) => one.errors)],
  ] as const;
  return (
    <section class="totals" aria-label="The whole cluster">
      {totals.map(([label, page, value, values]) => {
        const sum = sumOf(values);
        return (
          <a key={label} class="total" href={hrefOf(page)}>
            <span class="label">{label}</span>
            <span class="value">{value === '' ? count(last(sum)) : value}</span>
            <Sparkline label={label} values={sum} />
          </a>
        );
      })}
    </section>
  );
}

function NodeCard({ report, activity, isKnown }: Row & { readonly isKnown: boolean }): VNode {
  const { nodeId, load, version, startedAt, url } = report;
  const state = activity?.state ?? (isKnown ? 'no answer' : report.isReady ? 'ready' : 'not ready');
  const drain = (): void =>
    ask({
      title: `Drain ${nodeId}?`,
      consequence: `${plural(load.sessions)} of this node will be asked to reconnect elsewhere. A drain cannot be undone: restart the node.`,
      verb: 'Drain',
      act: async () => {
        const { remaining } = await call<{ remaining: number }>('POST', 'drain', { body: { nodeId } });
        return `${nodeId} drains. Still open: ${plural(remaining)}.`;
      },
    });
  const numbers = [
    ['Sessions', load.maxSessions > 0 ? `${count(load.sessions)} / ${count(load.maxSessions)}` : count(load.sessions)],
    ['In /s', count(last(activity?.series.received))],
    ['Out /s', count(last(activity?.series.sent))],
    ['Lag', `${count(load.eventLoopLagMs)} ms`],
    ['Queued', bytes(load.bufferedBytes)],
    ['Processor', `${Math.round(load.processor * 100)} %`],
  ] as const;
  return (
    <Panel
      title={nodeId}
      note={
        <>
          <Pill mood={state === 'ready' ? 'good' : state === 'draining' ? 'wait' : 'bad'}>{state}</Pill>{' '}
          {activity && (
            <Pill mood={activity.isEngineUp ? 'plain' : 'bad'}>
              {activity.isEngineUp ? engineName(activity) : `${engineName(activity)} unreachable`}
            </Pill>
          )}
        </>
      }
      actions={
        canAct.value &&
        state !== 'draining' && (
          <button type="button" onClick={drain}>
            Drain…
          </button>
        )
      }
    >
      <dl class="numbers">
        {numbers.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="pair">
        <figure>
          <Sparkline label={`Messages sent by ${nodeId}`} values={activity?.series.sent ?? []} />
          <figcaption>sent /s</figcaption>
        </figure>
        <figure>
          <Sparkline label={`Lag of ${nodeId}`} values={activity?.series.lagMs ?? []} />
          <figcaption>lag ms</figcaption>
        </figure>
      </div>
      <p class="quiet small">
        {version} · up {age(startedAt)} · <Name value={url} />
      </p>
    </Panel>
  );
}
