import { NODE_HEIGHT, NODE_WIDTH, type Place } from './layout.ts';

/**
 * The line of a link as an SVG path, from the right side of its client to the left side of its server.
 * @param via the points between that it passes, from left to right.
 */
export function linkPath(client: Place, server: Place, via: readonly Place[] = []): string {
  if (client === server) return loop(client);
  if (!isForward(client, server)) return backwards(client, server);
  const points = waypoints(client, server, via);
  const bends = points.slice(1).map((to, before) => {
    const from = points[before] as Place;
    const bend = (to.x - from.x) * 0.45;
    return `C${at({ x: from.x + bend, y: from.y })} ${at({ x: to.x - bend, y: to.y })} ${at(to)}`;
  });
  return `M${at(points[0] as Place)}${bends.join('')}`;
}

/** Where the label of a link stands: in the middle of its first bend, where lines from one node have parted. */
export function linkMiddle(client: Place, server: Place, via: readonly Place[] = []): Place {
  if (client === server) return { x: client.x, y: client.y - NODE_HEIGHT / 2 - 34 };
  if (isForward(client, server)) {
    const [from, to] = waypoints(client, server, via) as [Place, Place];
    return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  }
  const under = Math.max(client.y, server.y) + NODE_HEIGHT / 2 + DIP * 0.75;
  return { x: (client.x + server.x) / 2, y: under };
}

const isForward = (client: Place, server: Place) => server.x - client.x >= NODE_WIDTH;

/** Level through each node's width at the points between, so that lines do not cut its corners. */
function waypoints(client: Place, server: Place, via: readonly Place[]): Place[] {
  const level = via.flatMap(({ x, y }) => [
    { x: x - NODE_WIDTH / 2, y },
    { x: x + NODE_WIDTH / 2, y },
  ]);
  return [
    { x: client.x + NODE_WIDTH / 2, y: client.y },
    ...level,
    { x: server.x - NODE_WIDTH / 2 - ARROW, y: server.y },
  ];
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
