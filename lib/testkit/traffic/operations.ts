/** What the backend does for one entry operation. Ratios are in [0, 1], medians in milliseconds. */
export type BackendWork = CachedRead | PlainRead | WriteThrough;

/** Looks in the cache first; on a miss reads the database and fills the cache. */
export interface CachedRead {
  readonly kind: 'cached-read';
  readonly cacheEntry: string;
  readonly hitRatio: number;
  /** Share of requests for something that does not exist: a miss, no row, HTTP 404. */
  readonly unknownRatio: number;
  readonly query: Statement;
}

export interface PlainRead {
  readonly kind: 'plain-read';
  readonly query: Statement;
}

/** Writes the database, then the cache, within an internal span. */
export interface WriteThrough {
  readonly kind: 'write-through';
  readonly code: string;
  readonly statements: readonly Statement[];
  readonly cacheEntry: string;
}

export interface Statement {
  readonly operation: 'SELECT' | 'INSERT' | 'UPDATE';
  readonly table: string;
  readonly text: string;
  readonly medianMs: number;
}

export interface EntryOperation {
  readonly method: 'GET' | 'POST';
  readonly route: string;
  /** A concrete path for the route; the number names the thing asked for. */
  readonly path: (thing: number) => string;
  readonly weight: number;
  readonly work: BackendWork;
}

/** The gateway's entry operations with their share of the traffic: mostly reads, which mostly hit the cache. */
export const ENTRY_OPERATIONS: readonly EntryOperation[] = [
  {
    method: 'GET',
    route: '/products/{id}',
    path: (thing) => `/products/${thing}`,
    weight: 42,
    work: {
      kind: 'cached-read',
      cacheEntry: 'product',
      hitRatio: 0.88,
      unknownRatio: 0.01,
      query: {
        operation: 'SELECT',
        table: 'products',
        text: 'SELECT id, name, price, stock FROM products WHERE id = ?',
        medianMs: 3,
      },
    },
  },
  {
    method: 'GET',
    route: '/products',
    path: () => '/products',
    weight: 16,
    work: {
      kind: 'cached-read',
      cacheEntry: 'product-list',
      hitRatio: 0.8,
      unknownRatio: 0,
      query: {
        operation: 'SELECT',
        table: 'products',
        text: 'SELECT id, name, price FROM products WHERE category = ? ORDER BY rank LIMIT ?',
        medianMs: 11,
      },
    },
  },
  {
    method: 'GET',
    route: '/cart',
    path: () => '/cart',
    weight: 14,
    work: {
      kind: 'cached-read',
      cacheEntry: 'cart',
      hitRatio: 0.93,
      unknownRatio: 0,
      query: {
        operation: 'SELECT',
        table: 'cart_items',
        text: 'SELECT product_id, quantity FROM cart_items WHERE user_id = ?',
        medianMs: 2.5,
      },
    },
  },
  {
    method: 'POST',
    route: '/cart/items',
    path: () => '/cart/items',
    weight: 14,
    work: {
      kind: 'write-through',
      code: 'CartService.add',
      cacheEntry: 'cart',
      statements: [
        {
          operation: 'INSERT',
          table: 'cart_items',
          text: 'INSERT INTO cart_items (user_id, product_id, quantity) VALUES (?, ?, ?)',
          medianMs: 4,
        },
      ],
    },
  },
  {
    method: 'POST',
    route: '/orders',
    path: () => '/orders',
    weight: 8,
    work: {
      kind: 'write-through',
      code: 'OrderService.place',
      cacheEntry: 'order',
      statements: [
        {
          operation: 'UPDATE',
          table: 'products',
          text: 'UPDATE products SET stock = stock - ? WHERE id = ? AND stock >= ?',
          medianMs: 4.5,
        },
        {
          operation: 'INSERT',
          table: 'orders',
          text: 'INSERT INTO orders (id, user_id, total, placed_at) VALUES (?, ?, ?, ?)',
          medianMs: 6,
        },
      ],
    },
  },
  {
    method: 'GET',
    route: '/orders/{id}',
    path: (thing) => `/orders/${thing}`,
    weight: 6,
    work: {
      kind: 'plain-read',
      query: {
        operation: 'SELECT',
        table: 'orders',
        text: 'SELECT id, user_id, total, placed_at FROM orders WHERE id = ?',
        medianMs: 3.5,
      },
    },
  },
];

export function operationName(operation: EntryOperation): string {
  return `${operation.method} ${operation.route}`;
}
