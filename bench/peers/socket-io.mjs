import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Server } from 'socket.io';

const versionOf = (name) => `${name} ${createRequire(import.meta.url)(`${name}/package.json`).version}`;
const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });
const versions = [versionOf('socket.io')];

if (process.env.REDIS_URL) {
  const { createAdapter } = await import('@socket.io/redis-adapter');
  const { Redis } = await import('ioredis');
  const publisher = new Redis(process.env.REDIS_URL);
  io.adapter(createAdapter(publisher, publisher.duplicate()));
  versions.push(versionOf('@socket.io/redis-adapter'));
}

io.on('connection', (socket) => {
  socket.on('echo', (data) => socket.emit('echo_reply', data));
  socket.on('broadcast', (data) => io.emit('broadcast', data));
  socket.on('join', async (room, confirm) => {
    await socket.join(room);
    confirm('joined');
  });
  socket.on('leave', async (room, confirm) => {
    await socket.leave(room);
    confirm('left');
  });
  socket.on('move', ({ cell, ...avatar }) => io.to(cell).volatile.emit('moved', avatar));
  socket.on('publish', ({ channel, data }) => io.to(channel).emit('message', data));
});
http.listen(Number(process.env.PORT), '127.0.0.1', () => console.log(`ready ${versions.join(' with ')}`));
