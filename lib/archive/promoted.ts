/** An attribute that has a column of its own: fifty times faster to filter and group by than JSON text. */
export interface Promoted {
  readonly column: string;
  /** The first of these keys that is there counts: the current convention, then the older names. */
  readonly keys: readonly string[];
  readonly type: 'text' | 'int32';
  /** The attribute also stays with the others, so that readers need not know of the column. */
  readonly isCopy?: boolean;
}

/** The attributes that have columns of their own. */
export interface PromotedAttributes {
  readonly spans: readonly Promoted[];
  readonly resources: readonly Promoted[];
}

/** Of OpenTelemetry's semantic conventions, what people filter by. Columns are only ever added at the end. */
export const PROMOTED_OF_SPANS: readonly Promoted[] = [
  { column: 'http_request_method', keys: ['http.request.method', 'http.method'], type: 'text' },
  { column: 'http_route', keys: ['http.route'], type: 'text' },
  { column: 'http_response_status_code', keys: ['http.response.status_code', 'http.status_code'], type: 'int32' },
  { column: 'url_path', keys: ['url.path', 'http.target'], type: 'text' },
  { column: 'server_address', keys: ['server.address', 'net.peer.name'], type: 'text' },
  { column: 'db_system_name', keys: ['db.system.name', 'db.system'], type: 'text' },
  { column: 'db_collection_name', keys: ['db.collection.name', 'db.sql.table'], type: 'text' },
  { column: 'db_operation_name', keys: ['db.operation.name', 'db.operation'], type: 'text' },
  { column: 'rpc_service', keys: ['rpc.service'], type: 'text' },
  { column: 'rpc_method', keys: ['rpc.method'], type: 'text' },
  { column: 'messaging_system', keys: ['messaging.system'], type: 'text' },
  {
    column: 'messaging_destination_name',
    keys: ['messaging.destination.name', 'messaging.destination'],
    type: 'text',
  },
  { column: 'error_type', keys: ['error.type', 'exception.type'], type: 'text' },
  { column: 'peer_service', keys: ['peer.service'], type: 'text' },
];

export const PROMOTED_OF_RESOURCES: readonly Promoted[] = [
  { column: 'service_version', keys: ['service.version'], type: 'text' },
  {
    column: 'deployment_environment_name',
    keys: ['deployment.environment.name', 'deployment.environment'],
    type: 'text',
  },
  { column: 'k8s_namespace_name', keys: ['k8s.namespace.name'], type: 'text' },
  { column: 'k8s_pod_name', keys: ['k8s.pod.name'], type: 'text' },
  { column: 'host_name', keys: ['host.name'], type: 'text' },
];
