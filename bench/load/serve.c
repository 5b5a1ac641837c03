/* The sink behind the tunnel: takes, gives, echoes or ignores bytes, as each stream's first byte asks (load.h). */
#include "load.h"

struct stream {
  int fd;
  char command; /* 0 until the first byte has come */
  size_t have;  /* bytes of the header so far */
  char header[HEADER];
  uint64_t length;
  uint64_t moved;
};

static int epoll;

static void drop(struct stream *s) {
  close(s->fd);
  free(s);
}

/* Echoed messages are small; if the way back is full all the same, wait for it: nothing else runs beside an echo. */
static int echo(struct stream *s, const char *data, size_t length) {
  while (length > 0) {
    ssize_t n = send(s->fd, data, length, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) {
      struct pollfd wait = {.fd = s->fd, .events = POLLOUT};
      poll(&wait, 1, 1000);
      continue;
    }
    if (n <= 0) return 0;
    data += n;
    length -= (size_t)n;
  }
  return 1;
}

static int take(struct stream *s, size_t bytes) {
  uint64_t before = s->moved;
  s->moved += bytes;
  if (before >= s->length || s->moved < s->length) return 1;
  return echo(s, (const char *)&s->moved, sizeof s->moved); /* the count as seen: too many bytes show, too */
}

/* Returns how many of the bytes belonged to the header, or -1 when the stream is of no use. */
static ssize_t read_header(struct stream *s, const char *data, size_t length) {
  size_t used = HEADER - s->have < length ? HEADER - s->have : length;
  memcpy(s->header + s->have, data, used);
  s->have += used;
  if (s->have < HEADER) return (ssize_t)used;
  s->command = s->header[0];
  memcpy(&s->length, s->header + 1, sizeof s->length);
  if (!strchr("UDS", s->command) || !echo(s, "r", 1)) return -1;
  if (s->command == 'S') watch(epoll, EPOLL_CTL_MOD, s->fd, 0, (uintptr_t)s);
  return (ssize_t)used;
}

static int on_readable(struct stream *s) {
  ssize_t n = recv(s->fd, chunk, sizeof chunk, 0);
  if (n < 0) return errno == EAGAIN;
  if (n == 0) return 0;
  if (s->command == 0 && s->have == 0 && chunk[0] == 'e') s->command = 'e';
  if (s->command == 'e') return echo(s, chunk, (size_t)n);
  ssize_t used = s->command == 0 ? read_header(s, chunk, (size_t)n) : 0;
  if (used < 0) return 0;
  if (s->command == 'D' && n > used) watch(epoll, EPOLL_CTL_MOD, s->fd, EPOLLOUT, (uintptr_t)s);
  return s->command == 'U' && n > used ? take(s, (size_t)(n - used)) : 1;
}

static int on_writable(struct stream *s) {
  uint64_t left = s->length - s->moved;
  if (left > 0) {
    ssize_t n = send(s->fd, chunk, left < CHUNK ? left : CHUNK, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN;
    s->moved += (uint64_t)n;
    left -= (uint64_t)n;
  }
  if (left == 0) {
    shutdown(s->fd, SHUT_WR);
    watch(epoll, EPOLL_CTL_MOD, s->fd, EPOLLIN, (uintptr_t)s);
  }
  return 1;
}

static void accept_all(int server) {
  int fd;
  while ((fd = accept4(server, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct stream *s = calloc(1, sizeof *s);
    s->fd = fd;
    watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, (uintptr_t)s);
  }
}

int serve(void) {
  int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(server, (struct sockaddr *)&address, sizeof address) < 0 || listen(server, 4096) < 0) die("listen");
  getsockname(server, (struct sockaddr *)&address, &size);
  printf("{\"ready\":true,\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);

  epoll = epoll_create1(0);
  watch(epoll, EPOLL_CTL_ADD, server, EPOLLIN, 0);
  struct epoll_event events[256];
  for (;;) {
    int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; i++) {
      struct stream *s = (struct stream *)(uintptr_t)events[i].data.u64;
      if (s == NULL) {
        accept_all(server);
        continue;
      }
      int alive = 1;
      if (events[i].events & (EPOLLERR | EPOLLHUP)) alive = 0;
      else if (events[i].events & EPOLLIN) alive = on_readable(s);
      else if (events[i].events & EPOLLOUT) alive = on_writable(s);
      if (!alive) drop(s);
    }
  }
}
