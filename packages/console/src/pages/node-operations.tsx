import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { call, download, pathOf } from '../data/api.js';
import type { AuditLine, LogLevels } from '../data/answers.js';
import { usePoll } from '../data/poll.js';
import { ask, perform } from '../ui/ask.js';
import { Answer, Field, Missing, Panel, Table } from '../ui/parts.js';
import { moment, Text } from '../ui/text.js';

const SLOW_MS = 5_000;

/** What only an ADMIN sees: how nodes log, what they spend their time on, and what operators did. */
export function NodeOperations(): VNode {
  return (
    <>
      <div class="columns">
        <Levels />
        <Profiles />
      </div>
      <Audit />
    </>
  );
}

function Levels(): VNode {
  const poll = usePoll<LogLevels>('logs/levels', SLOW_MS);
  const levels = useRef<HTMLInputElement>(null);
  const change = (event: Event): void => {
    event.preventDefault();
    void perform(async () => {
      await call('PUT', 'logs/levels', { body: { levels: levels.current?.value ?? '', seconds: 600 } });
      poll.refresh();
      return 'All nodes log at these levels for ten minutes.';
    });
  };
  const restore = (): Promise<void> =>
    perform(async () => {
      await call('DELETE', 'logs/levels');
      poll.refresh();
      return 'All nodes log at their configured levels again.';
    });
  return (
    <Panel title="Log levels">
      <Missing nodes={poll.data?.missing ?? []} />
      <Answer poll={poll}>
        {({ nodes }) => (
          <Table
            label="Log levels"
            columns={['Node', 'Now', 'Configured']}
            rows={nodes.map(({ nodeId, levels: now, configured }) => ({
              key: nodeId,
              cells: [nodeId, now, configured],
            }))}
          />
        )}
      </Answer>
      <form class="row" onSubmit={change}>
        <Field label="Levels for ten minutes">
          <input ref={levels} required defaultValue="info,messages=debug" spellcheck={false} />
        </Field>
        <button type="submit">Change</button>
        <button type="button" onClick={() => void restore()}>
          Restore
        </button>
      </form>
    </Panel>
  );
}

function Profiles(): VNode {
  const take = (kind: string): void =>
    ask({
      title: 'Take a profile?',
      consequence:
        'The node that served this page records itself for five seconds and is a little slower meanwhile. No session ends.',
      verb: 'Take it',
      act: async () => {
        await download(`diagnostics/${kind}`, { seconds: 5 });
        return 'The profile is downloaded. Open it in the developer tools of Chrome.';
      },
    });
  return (
    <Panel title="Profiles" note="of the node that served this page">
      <div class="actions">
        <button type="button" onClick={() => take('cpu-profile')}>
          Processor, 5 s…
        </button>
        <button type="button" onClick={() => take('heap-profile')}>
          Memory, 5 s…
        </button>
      </div>
      <p class="quiet small">
        A profile shows where the time or the memory goes. It contains names of functions, and no data of users.
      </p>
    </Panel>
  );
}

function Audit(): VNode {
  const poll = usePoll<{ readonly lines: readonly AuditLine[]; readonly missing: readonly string[] }>(
    pathOf(['audit'], { cause: 'server', limit: 50 }),
    SLOW_MS,
  );
  return (
    <Panel title="Audit" note="what operators asked for (api_call), and what came of it, the newest first">
      <Missing nodes={poll.data?.missing ?? []} />
      <Answer poll={poll} isEmpty={({ lines }) => lines.length === 0} empty="No line yet, or AUDIT_LOG is off.">
        {({ lines }) => (
          <Table
            label="The newest audit lines"
            columns={['!Time', '!Node', '!Event', 'Details']}
            rows={lines.map(({ at, nodeId, event, fields }, index) => ({
              key: `${at} ${nodeId} ${index}`,
              cells: [moment(at), nodeId, event, <Text value={detailsOf(fields)} max={200} />],
            }))}
          />
        )}
      </Answer>
    </Panel>
  );
}

function detailsOf(fields: AuditLine['fields']): string {
  const simple = Object.entries(fields).filter(([, value]) => typeof value !== 'object');
  return simple.map(([name, value]) => `${name} ${String(value)}`).join(' · ');
}
