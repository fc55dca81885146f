import { Client, getStateCallbacks } from 'colyseus.js';

/** Colyseus' own client, for those who publish and those whose latencies are taken: its frames are not text. */
export async function joinScene(port, cells) {
  const room = await new Client(`ws://127.0.0.1:${port}`).joinOrCreate('scene', { cells });
  return {
    move: (move) => room.send('move', move),
    onMoved: (moved) => {
      const $ = getStateCallbacks(room);
      $(room.state).avatars.onAdd((avatar) => {
        try {
          $(avatar).listen('t', moved);
        } catch (error) {
          // With 0.16, a client of a busy room is now and then told of an avatar that it cannot find. Its times are
          // missing then, and "updates that arrived" says so.
          console.error(error.message);
        }
      });
    },
    leave: () => room.leave(true),
  };
}
