import { existsSync } from 'node:fs';

/** Configuration of the peers that stand in the mesh's place: nginx and HAProxy as the same hop. */

/** Addresses of loopback, so that every hop has the same ports. */
export const ADDRESS = {
  backend: '127.77.0.1',
  mesh: '127.77.1.1',
  meshPeer: '127.77.1.2',
  nginx: '127.77.2.1',
  haproxy: '127.77.3.1',
  haproxyPeer: '127.77.3.2',
};
export const PORT = { backend: 8000, http: 8080, tcp: 8081, tlsHttp: 8082, tlsTcp: 8083 };

const BACKEND = `${ADDRESS.backend}:${PORT.backend}`;

const nginxMain = (directory: string, name: string): string => `
daemon off; master_process off; worker_processes 1; pid ${directory}/${name}.pid;
error_log ${directory}/${name}.log crit;
`;
const nginxEvents = 'events { worker_connections 4096; }\n';

/** A server as fast as they come: a short text from memory. */
export const backendConfig = (directory: string): string => `${nginxMain(directory, 'backend')}${nginxEvents}
http {
  access_log off; keepalive_requests 1000000000; client_body_temp_path ${directory}/body;
  server { listen ${BACKEND} backlog=4096; location / { return 200 "hello from a replica\\n"; } }
}`;

const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';
/** Debian ships it apart (libnginx-mod-stream); without it nginx is compared for HTTP alone. */
export const nginxHasStream = existsSync(STREAM_MODULE);

const nginxStream = `stream { server { listen ${ADDRESS.nginx}:${PORT.tcp} backlog=4096; proxy_pass ${BACKEND}; } }`;

/** One worker: a mesh process is one thread too. */
export const nginxConfig = (
  directory: string,
): string => `${nginxHasStream ? `load_module ${STREAM_MODULE};` : ''}${nginxMain(directory, 'nginx')}${nginxEvents}
http {
  access_log off; keepalive_requests 1000000000; client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  upstream replicas { server ${BACKEND}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen ${ADDRESS.nginx}:${PORT.http} backlog=4096;
    location / { proxy_pass http://replicas; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; }
  }
}
${nginxHasStream ? nginxStream : ''}`;

/** Two processes as two nodes: the first listens in the clear, the second ends TLS beside the backend. */
export const haproxyConfig = (directory: string): string => `
global
  maxconn 8192
  nbthread 1
  ssl-server-verify none
defaults
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend http
  mode http
  bind ${ADDRESS.haproxy}:${PORT.http}
  option forwardfor
  default_backend http
backend http
  mode http
  http-reuse always
  server replica ${BACKEND}
frontend tcp
  mode tcp
  bind ${ADDRESS.haproxy}:${PORT.tcp}
  default_backend tcp
backend tcp
  mode tcp
  server replica ${BACKEND}
frontend http_to_peer
  mode http
  bind ${ADDRESS.haproxy}:${PORT.tlsHttp}
  option forwardfor
  default_backend http_to_peer
backend http_to_peer
  mode http
  http-reuse always
  server peer ${ADDRESS.haproxyPeer}:${PORT.tcp} ssl crt ${directory}/haproxy.pem
frontend tcp_to_peer
  mode tcp
  bind ${ADDRESS.haproxy}:${PORT.tlsTcp}
  default_backend tcp_to_peer
backend tcp_to_peer
  mode tcp
  server peer ${ADDRESS.haproxyPeer}:${PORT.tcp} ssl crt ${directory}/haproxy.pem
`;

export const haproxyPeerConfig = (directory: string): string => `
global
  maxconn 8192
  nbthread 1
defaults
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend peer
  mode tcp
  bind ${ADDRESS.haproxyPeer}:${PORT.tcp} ssl crt ${directory}/haproxy.pem ca-file ${directory}/root.pem verify required ssl-min-ver TLSv1.3
  default_backend replica
backend replica
  mode tcp
  server replica ${BACKEND}
`;
