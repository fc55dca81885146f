import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { call, download, pathOf } from '../data/api.js';
import type { AuditLine, Ban, LogLevels, Revocation, Rights } from '../data/answers.js';
import { usePoll } from '../data/poll.js';
import { canAct, isAdmin } from '../data/token.js';
import { ask, perform } from '../ui/ask.js';
import { Answer, Field, Missing, Panel, Table } from '../ui/parts.js';
import { moment, Name, shown, Text } from '../ui/text.js';
import { BanForm } from './ban-form.js';

const SLOW_MS = 5_000;

export function Operations(): VNode {
  return (
    <>
      <h1>Operations</h1>
      <Bans />
      <div class="columns">
        <Revocations />
        <ChangedRights />
      </div>
      {isAdmin.value ? (
        <>
          <div class="columns">
            <Levels />
            <Profiles />
          </div>
          <Audit />
        </>
      ) : (
        <p class="quiet">Levels of the log, profiles and the audit log need the role ADMIN.</p>
      )}
    </>
  );
}

interface Undo {
  readonly title: string;
  readonly consequence: string;
  readonly path: string;
  readonly done: string;
  readonly refresh: () => void;
}

function UndoButton({ title, consequence, path, done, refresh }: Undo): VNode | string {
  if (!canAct.value) return '';
  const act = async (): Promise<string> => {
    await call('DELETE', path);
    refresh();
    return done;
  };
  return (
    <button type="button" onClick={() => ask({ title, consequence, verb: 'Lift', act })}>
      Lift…
    </button>
  );
}

function Bans(): VNode {
  const poll = usePoll<{ readonly bans: readonly Ban[]; readonly total: number }>('bans', SLOW_MS);
  return (
    <Panel title="Bans" note={poll.data === undefined ? undefined : `${poll.data.total} in force`}>
      <Answer poll={poll} isEmpty={({ bans }) => bans.length === 0} empty="Nobody is banned.">
        {({ bans }) => (
          <Table
            label="Bans"
            columns={['Kind', 'Who', 'Until', 'Reason', 'By', '']}
            rows={bans.map(({ kind, key, until, reason, by }) => ({
              key: `${kind} ${key}`,
              cells: [
                kind,
                <Name value={key} />,
                moment(until),
                <Text value={reason} />,
                by,
                <UndoButton
                  title={`Lift the ban of ${shown(key, 40)}?`}
                  consequence="No session is open because of it. The client may connect again at once."
                  path={pathOf(['bans', kind, key])}
                  done="The ban is lifted."
                  refresh={poll.refresh}
                />,
              ],
            }))}
          />
        )}
      </Answer>
      {canAct.value ? <BanForm onDone={poll.refresh} /> : null}
    </Panel>
  );
}

function Revocations(): VNode {
  const poll = usePoll<{ readonly revocations: readonly Revocation[] }>('revocations', SLOW_MS);
  return (
    <Panel title="Revocations">
      <Answer poll={poll} isEmpty={({ revocations }) => revocations.length === 0} empty="No token is revoked.">
        {({ revocations }) => (
          <Table
            label="Revocations"
            columns={['Kind', 'Whose', 'Until', 'Reason', '']}
            rows={revocations.map(({ kind, key, until, reason }) => ({
              key: `${kind} ${key}`,
              cells: [
                kind,
                <Name value={key} />,
                moment(until),
                <Text value={reason} />,
                <UndoButton
                  title={`Lift the revocation of ${shown(key, 40)}?`}
                  consequence="Tokens that it covers are valid again, until they expire."
                  path={pathOf(['revocations', kind, key])}
                  done="The revocation is lifted."
                  refresh={poll.refresh}
                />,
              ],
            }))}
          />
        )}
      </Answer>
    </Panel>
  );
}

function ChangedRights(): VNode {
  const poll = usePoll<{ readonly rights: readonly Rights[] }>('rights', SLOW_MS);
  return (
    <Panel title="Changed rights">
      <Answer
        poll={poll}
        isEmpty={({ rights }) => rights.length === 0}
        empty="Everybody has the rights of their token."
      >
        {({ rights }) => (
          <Table
            label="Changed rights"
            columns={['User', 'Roles', 'Until', 'Reason', '']}
            rows={rights.map(({ userId, roles, until, reason }) => ({
              key: userId,
              cells: [
                <Name value={userId} />,
                <Text value={roles.join(', ') || 'none'} />,
                moment(until),
                <Text value={reason} />,
                <UndoButton
                  title={`Restore the rights of ${shown(userId, 40)}?`}
                  consequence="All open sessions of the user get the rights of their tokens again."
                  path={pathOf(['users', userId, 'rights'])}
                  done="The rights are those of the tokens again."
                  refresh={poll.refresh}
                />,
              ],
            }))}
          />
        )}
      </Answer>
    </Panel>
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
      return 'LOG_LEVEL holds again.';
    });
  return (
    <Panel title="Levels of the log">
      <Missing nodes={poll.data?.missing ?? []} />
      <Answer poll={poll}>
        {({ nodes }) => (
          <Table
            label="Levels of the log"
            columns={['Node', 'Now', 'LOG_LEVEL']}
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
    <Panel title="Audit" note="what operators and the servers did last">
      <Missing nodes={poll.data?.missing ?? []} />
      <Answer poll={poll} isEmpty={({ lines }) => lines.length === 0} empty="No line yet, or AUDIT_LOG is off.">
        {({ lines }) => (
          <Table
            label="The newest audit lines"
            columns={['Time', 'Node', 'Event', 'Details']}
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
