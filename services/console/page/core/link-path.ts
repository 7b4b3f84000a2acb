import { NODE_HEIGHT, NODE_WIDTH, type Place } from './layout.ts';

/** The line of a link as an SVG path, from the right side of its client to the left side of its server. */
export function linkPath(client: Place, server: Place): string {
  if (client === server) return loop(client);
  if (server.x - client.x >= NODE_WIDTH) {
    const from = { x: client.x + NODE_WIDTH / 2, y: client.y };
    const to = { x: server.x - NODE_WIDTH / 2 - ARROW, y: server.y };
    const bend = Math.max(36, (to.x - from.x) * 0.45);
    return `M${at(from)}C${at({ x: from.x + bend, y: from.y })} ${at({ x: to.x - bend, y: to.y })} ${at(to)}`;
  }
  return backwards(client, server);
}

/** Where the label of a link stands. */
export function linkMiddle(client: Place, server: Place): Place {
  if (client === server) return { x: client.x, y: client.y - NODE_HEIGHT / 2 - 34 };
  if (server.x - client.x >= NODE_WIDTH) return { x: (client.x + server.x - ARROW) / 2, y: (client.y + server.y) / 2 };
  const under = Math.max(client.y, server.y) + NODE_HEIGHT / 2 + DIP * 0.75;
  return { x: (client.x + server.x) / 2, y: under };
}

/** Against the stream, or within a layer: out below one, round, and in below the other. */
function backwards(client: Place, server: Place): string {
  const from = { x: client.x, y: client.y + NODE_HEIGHT / 2 };
  const to = { x: server.x, y: server.y + NODE_HEIGHT / 2 + ARROW };
  const under = Math.max(from.y, to.y) + DIP;
  return `M${at(from)}C${at({ x: from.x, y: under })} ${at({ x: to.x, y: under })} ${at(to)}`;
}

function loop({ x, y }: Place): string {
  const top = y - NODE_HEIGHT / 2;
  return `M${at({ x: x + 34, y: top })}C${at({ x: x + 48, y: top - 44 })} ${at({ x: x - 48, y: top - 44 })} ${at({ x: x - 34, y: top - ARROW })}`;
}

const ARROW = 8;
const DIP = 52;
const at = ({ x, y }: Place) => `${x.toFixed(1)},${y.toFixed(1)}`;
