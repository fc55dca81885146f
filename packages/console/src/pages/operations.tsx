import type { VNode } from 'preact';
import { pathOf } from '../data/api.js';
import type { Ban, Revocation, Rights } from '../data/answers.js';
import { usePoll } from '../data/poll.js';
import { canAct, isAdmin } from '../data/token.js';
import { Answer, Panel, Table } from '../ui/parts.js';
import { moment, Name, shown, Text } from '../ui/text.js';
import { BanForm } from './ban-form.js';
import { NodeOperations } from './node-operations.js';
import { LiftBan, UndoButton } from './undo-button.js';

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
        <NodeOperations />
      ) : (
        <p class="quiet">Log levels, profiles and the audit log need the role ADMIN.</p>
      )}
    </>
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
                <LiftBan kind={kind} who={key} refresh={poll.refresh} />,
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
