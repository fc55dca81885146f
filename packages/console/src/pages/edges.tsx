import type { VNode } from 'preact';
import type { Edge } from '../data/answers.js';
import { pathOf } from '../data/api.js';
import { useEdges } from '../data/edges.js';
import { hrefOf } from '../router.js';
import { Pager, usePages } from '../ui/pager.js';
import { Answer, Missing, Pill, Table } from '../ui/parts.js';
import { age, bytes, count, Name, shown } from '../ui/text.js';

const PAGE_SIZE = 50;
/** An edge reports every five seconds. */
const SILENT_MS = 30_000;
/** Edges that the summary names. */
const MOST_NAMED = 5;
const LOSSES = ['expired', 'dropped', 'refused', 'damaged'] as const;

export function Edges(): VNode {
  const pages = usePages();
  const poll = useEdges(pathOf(['edges'], { limit: PAGE_SIZE, after: pages.after }));
  return (
    <>
      <h1>Edges</h1>
      <Missing nodes={poll.data?.missing ?? []} />
      <Answer
        poll={poll}
        isEmpty={({ edges }) => edges.length === 0 && pages.former.length === 0}
        empty="No edge node is connected, or was within a day."
      >
        {({ edges, after }) => (
          <>
            <Summary edges={edges} isAll={after === undefined && pages.former.length === 0} />
            <EdgeTable edges={edges} />
            <p class="quiet small legend">
              Each edge says every five seconds how it is. Forwarded counts since its start, lost since its store was
              made.
            </p>
            <Pager of="edges" pages={pages} next={after} size={PAGE_SIZE} shown={edges.length} />
          </>
        )}
      </Answer>
    </>
  );
}

function Summary({ edges, isAll }: { readonly edges: readonly Edge[]; readonly isAll: boolean }): VNode {
  const problems = edges.filter((edge) => problemOf(edge) !== undefined);
  if (problems.length === 0) {
    return (
      <p class="health good" role="status">
        <strong>Connected.</strong> {edges.length === 1 ? 'The edge takes' : `All ${edges.length} edges take`} messages
        {isAll ? '.' : ', on this page.'}
      </p>
    );
  }
  return (
    <div class="health bad" role="status">
      <strong>Needs attention.</strong>
      <ul>
        {problems.slice(0, MOST_NAMED).map((edge) => (
          <li key={edge.edge}>
            {shown(edge.edge, 40)}: {problemOf(edge)}
          </li>
        ))}
        {problems.length > MOST_NAMED ? <li>and {problems.length - MOST_NAMED} more</li> : null}
      </ul>
    </div>
  );
}

function problemOf({ isConnected, seenAt, connections, report }: Edge): string | undefined {
  if (!isConnected) return 'away';
  if (Date.now() - seenAt > SILENT_MS) return 'silent';
  if (report.store !== 'ok') return 'store failed';
  return connections > 1 ? `${connections} devices` : undefined;
}

function EdgeTable({ edges }: { readonly edges: readonly Edge[] }): VNode {
  return (
    <Table
      label="Edges"
      columns={[
        'Edge',
        '!State',
        '#Since',
        'Node',
        'Address',
        'Release',
        '#Sessions',
        '#Waiting',
        '#Oldest',
        '#Forwarded',
        '#Lost',
      ]}
      rows={edges.map((edge) => ({ key: edge.edge, cells: cellsOf(edge) }))}
    />
  );
}

function cellsOf(edge: Edge): (VNode | string)[] {
  const { isConnected, since, seenAt, nodeId, address, report } = edge;
  const { queuedMessages, queuedBytes, oldestMs } = report;
  const problem = problemOf(edge);
  const name = <Name value={edge.edge} max={40} />;
  return [
    isConnected ? <a href={hrefOf('session', edge.sessionId)}>{name}</a> : name,
    <Pill mood={problem === undefined ? 'good' : 'bad'}>{problem ?? 'connected'}</Pill>,
    age(problem === 'silent' ? seenAt : since),
    <Name value={nodeId} />,
    <Name value={address} />,
    <Name value={report.release} />,
    count(report.sessions),
    queuedMessages === 0 ? '0' : `${count(queuedMessages)} (${bytes(queuedBytes)})`,
    oldestMs === undefined ? '–' : age(0, oldestMs),
    count(report.forwarded),
    lostOf(edge),
  ];
}

function lostOf({ report }: Edge): VNode | string {
  const lost = LOSSES.filter((loss) => report[loss] > 0);
  if (lost.length === 0) return '0';
  return <strong class="bad">{lost.map((loss) => `${count(report[loss])} ${loss}`).join(', ')}</strong>;
}
