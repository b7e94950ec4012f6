/*
 * One replica of the service that the load asks: HTTP and WebSocket on port 8080, a protocol in which the
 * server speaks first on port 9000. Every answer begins with the replica's host name.
 *
 *   GET /       the name
 *   GET /slow   the same after 200 ms
 *   POST        the name, the length of the body and its SHA-1
 *   Upgrade     WebSocket: echoes each message
 *   port 9000   a line with the name, then echoes what it is sent
 *
 * SIGTERM ends it at once, in the middle of whatever is under way: whoever stops it has to know that
 * nothing is. One thread a connection, a fixed number of them; more wait in the backlog.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HTTP_PORT = 8080, TCP_PORT = 9000, MOST_CONNECTIONS = 512, BUFFER = 32768, SILENCE_SECONDS = 120 };

static char name[65];
static sem_t places;

/* ---- SHA-1, for WebSocket handshakes and bodies ---- */

typedef struct { uint32_t state[5]; uint64_t length; uint8_t block[64]; } Sha1;

static uint32_t rotate(uint32_t value, int bits) { return value << bits | value >> (32 - bits); }

static void sha1_block(Sha1 *sha) {
  uint32_t w[80], a = sha->state[0], b = sha->state[1], c = sha->state[2], d = sha->state[3], e = sha->state[4];
  for (int i = 0; i < 16; i++) {
    const uint8_t *p = sha->block + 4 * i;
    w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
  }
  for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  for (int i = 0; i < 80; i++) {
    uint32_t f = i < 20 ? ((b & c) | (~b & d)) + 0x5a827999
               : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
               : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                        : (b ^ c ^ d) + 0xca62c1d6;
    uint32_t next = rotate(a, 5) + f + e + w[i];
    e = d, d = c, c = rotate(b, 30), b = a, a = next;
  }
  sha->state[0] += a, sha->state[1] += b, sha->state[2] += c, sha->state[3] += d, sha->state[4] += e;
}

static void sha1_start(Sha1 *sha) {
  *sha = (Sha1){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
}

static void sha1_add(Sha1 *sha, const void *data, size_t size) {
  for (const uint8_t *p = data; size > 0;) {
    size_t used = sha->length % 64, part = 64 - used < size ? 64 - used : size;
    memcpy(sha->block + used, p, part);
    sha->length += part, p += part, size -= part;
    if (sha->length % 64 == 0) sha1_block(sha);
  }
}

static void sha1_end(Sha1 *sha, uint8_t digest[20]) {
  uint64_t bits = sha->length * 8;
  uint8_t tail[72] = {0x80};
  size_t padding = 1 + (119 - sha->length % 64) % 64;
  for (int i = 0; i < 8; i++) tail[padding + i] = (uint8_t)(bits >> (56 - 8 * i));
  sha1_add(sha, tail, padding + 8);
  for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

/* ---- connections ---- */

typedef struct { int fd; size_t start, end; char bytes[BUFFER]; } Input;

static int send_all(int fd, const void *data, size_t size) {
  for (const char *p = data; size > 0;) {
    ssize_t sent = send(fd, p, size, MSG_NOSIGNAL);
    if (sent <= 0) return 0;
    p += sent, size -= (size_t)sent;
  }
  return 1;
}

/* Reads more behind what is there; false at the end or when there is no room. */
static int fill(Input *in) {
  if (in->start > 0) {
    memmove(in->bytes, in->bytes + in->start, in->end - in->start);
    in->end -= in->start, in->start = 0;
  }
  if (in->end == BUFFER - 1) return 0;
  ssize_t got = recv(in->fd, in->bytes + in->end, BUFFER - 1 - in->end, 0);
  if (got <= 0) return 0;
  in->end += (size_t)got;
  return 1;
}

static int need(Input *in, size_t size) {
  while (in->end - in->start < size) if (!fill(in)) return 0;
  return 1;
}

/* The value of a header of the head at `head`, copied without its line end; false when there is none. */
static int header(const char *head, const char *field, char *value, size_t room) {
  size_t length = strlen(field);
  for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
    line += 2;
    if (strncasecmp(line, field, length) != 0 || line[length] != ':') continue;
    line += length + 1;
    while (*line == ' ') line++;
    size_t size = strcspn(line, "\r");
    if (size >= room) return 0;
    memcpy(value, line, size);
    value[size] = 0;
    return 1;
  }
  return 0;
}

static int answer(int fd, const char *status, const char *body) {
  char text[512];
  int size = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s", status,
                      strlen(body), body);
  return send_all(fd, text, (size_t)size);
}

static int accept_websocket(int fd, const char *key) {
  static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint8_t digest[21] = {0};
  char proof[29], text[256];
  Sha1 sha;
  sha1_start(&sha);
  sha1_add(&sha, key, strlen(key));
  sha1_add(&sha, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
  sha1_end(&sha, digest);
  for (int i = 0; i < 7; i++) {
    uint32_t three = (uint32_t)digest[3 * i] << 16 | (uint32_t)digest[3 * i + 1] << 8 | digest[3 * i + 2];
    for (int j = 0; j < 4; j++) proof[4 * i + j] = set[three >> (18 - 6 * j) & 63];
  }
  proof[27] = '=', proof[28] = 0;
  int size = snprintf(text, sizeof text,
                      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: %s\r\nX-Replica: %s\r\n\r\n", proof, name);
  return send_all(fd, text, (size_t)size);
}

/* Echoes masked messages of one frame each until the client closes; a longer frame than fits ends the connection. */
static void serve_websocket(Input *in) {
  while (need(in, 6)) {
    uint8_t *frame = (uint8_t *)in->bytes + in->start;
    size_t head = 2, length = frame[1] & 127, reply = 2;
    if (length == 127 || !(frame[1] & 128)) return;
    if (length == 126) {
      if (!need(in, 8)) return;
      frame = (uint8_t *)in->bytes + in->start;
      length = (size_t)frame[2] << 8 | frame[3], head = 4, reply = 4;
    }
    if (length > BUFFER / 2 || !need(in, head + 4 + length)) return;
    frame = (uint8_t *)in->bytes + in->start;
    uint8_t kind = frame[0] & 15, mask[4], *data = frame + head + 4;
    memcpy(mask, frame + head, 4);
    for (size_t i = 0; i < length; i++) data[i] ^= mask[i % 4];
    in->start += head + 4 + length;
    if (kind == 10) continue;
    uint8_t *out = data - reply;
    out[0] = (uint8_t)(0x80 | (kind == 9 ? 10 : kind));
    if (reply == 4) out[1] = 126, out[2] = (uint8_t)(length >> 8), out[3] = (uint8_t)length;
    else out[1] = (uint8_t)length;
    if (!send_all(in->fd, out, reply + length) || kind == 8) return;
  }
}

static int answer_post(Input *in, size_t length) {
  Sha1 sha;
  uint8_t digest[20];
  char body[192];
  sha1_start(&sha);
  for (size_t left = length; left > 0;) {
    if (in->start == in->end && !fill(in)) return 0;
    size_t part = in->end - in->start < left ? in->end - in->start : left;
    sha1_add(&sha, in->bytes + in->start, part);
    in->start += part, left -= part;
  }
  sha1_end(&sha, digest);
  int size = snprintf(body, sizeof body, "%s %zu ", name, length);
  for (int i = 0; i < 20; i++) size += snprintf(body + size, sizeof body - (size_t)size, "%02x", digest[i]);
  return answer(in->fd, "200 OK", body);
}

/* One request of a connection; false when the connection is to be closed. */
static int serve_request(Input *in) {
  char *end, value[128];
  in->bytes[in->end] = 0;
  while ((end = strstr(in->bytes + in->start, "\r\n\r\n")) == NULL) {
    if (!fill(in)) return 0;
    in->bytes[in->end] = 0;
  }
  const char *head = in->bytes + in->start;
  end[2] = 0;
  in->start = (size_t)(end + 4 - in->bytes);
  int closes = header(head, "Connection", value, sizeof value) && strcasecmp(value, "close") == 0;
  if (header(head, "Sec-WebSocket-Key", value, sizeof value)) {
    if (accept_websocket(in->fd, value)) serve_websocket(in);
    return 0;
  }
  if (strncmp(head, "POST ", 5) == 0) {
    if (!header(head, "Content-Length", value, sizeof value)) return answer(in->fd, "411 Length Required", name) && 0;
    return answer_post(in, strtoul(value, NULL, 10)) && !closes;
  }
  if (strncmp(head, "GET ", 4) != 0) return answer(in->fd, "405 Method Not Allowed", name) && 0;
  if (strncmp(head, "GET /slow ", 10) == 0) usleep(200000);
  return answer(in->fd, "200 OK", name) && !closes;
}

static void *serve_http(void *argument) {
  Input in = {.fd = (int)(intptr_t)argument};
  while (serve_request(&in)) continue;
  close(in.fd);
  sem_post(&places);
  return NULL;
}

static void *serve_tcp(void *argument) {
  Input in = {.fd = (int)(intptr_t)argument};
  char greeting[80];
  int size = snprintf(greeting, sizeof greeting, "%s\n", name);
  for (int open = send_all(in.fd, greeting, (size_t)size); open && fill(&in); in.start = in.end)
    open = send_all(in.fd, in.bytes + in.start, in.end - in.start);
  close(in.fd);
  sem_post(&places);
  return NULL;
}

static int listen_on(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1024) < 0) {
    perror("replica: listen");
    exit(1);
  }
  return fd;
}

static void accept_all(int listener, void *(*serve)(void *)) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 4 * BUFFER);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  for (;;) {
    while (sem_wait(&places) < 0) continue;
    int fd = accept(listener, NULL, NULL), on = 1;
    struct timeval silence = {.tv_sec = SILENCE_SECONDS};
    pthread_t thread;
    if (fd >= 0) {
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
      if (pthread_create(&thread, &attributes, serve, (void *)(intptr_t)fd) == 0) continue;
      close(fd);
    }
    sem_post(&places);
  }
}

static void *accept_tcp(void *argument) {
  accept_all((int)(intptr_t)argument, serve_tcp);
  return NULL;
}

static void end(int signal) {
  (void)signal;
  _exit(0);
}

int main(void) {
  pthread_t thread;
  /* The first process of a container gets no signal that it does not handle. */
  signal(SIGTERM, end);
  signal(SIGINT, end);
  gethostname(name, sizeof name - 1);
  sem_init(&places, 0, MOST_CONNECTIONS);
  int tcp = listen_on(TCP_PORT), http = listen_on(HTTP_PORT);
  if (pthread_create(&thread, NULL, accept_tcp, (void *)(intptr_t)tcp) != 0) return 1;
  accept_all(http, serve_http);
}
