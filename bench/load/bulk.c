/* Many bytes: up or down over N streams with their lengths checked; without an end; and into a reader that stalled. */
#include "load.h"

struct stream {
  int fd;
  uint64_t length;
  uint64_t moved;
};

static struct stream *open_all(int port, char command, int count, uint64_t each, uint64_t rest) {
  struct stream *streams = calloc((size_t)count, sizeof *streams);
  for (int i = 0; i < count; i++) {
    streams[i].length = each + (i == 0 ? rest : 0);
    streams[i].fd = open_stream(port, command, streams[i].length);
  }
  return streams;
}

/* Sends what fits; when all is sent, waits for the sink's count instead. */
static void push(int epoll, struct stream *s) {
  uint64_t left = s->length - s->moved;
  ssize_t n = send(s->fd, chunk, left < CHUNK ? left : CHUNK, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN) die("send");
  if (n > 0) s->moved += (uint64_t)n;
  if (s->moved == s->length) watch(epoll, EPOLL_CTL_MOD, s->fd, EPOLLIN, (uintptr_t)s);
}

static int check_count(struct stream *s) {
  uint64_t seen;
  int flags = fcntl(s->fd, F_GETFL);
  fcntl(s->fd, F_SETFL, flags & ~O_NONBLOCK);
  receive_all(s->fd, &seen, sizeof seen);
  errno = 0;
  if (seen != s->length) die("the sink counted another number of bytes");
  return 1;
}

static int pull(struct stream *s) {
  errno = 0;
  ssize_t n = recv(s->fd, chunk, CHUNK, 0);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n <= 0) die("the stream ended early");
  s->moved += (uint64_t)n;
  if (s->moved > s->length) die("more bytes came than were sent");
  return s->moved == s->length;
}

int bulk(int port, int down, int count, uint64_t total) {
  uint64_t each = total / (uint64_t)count;
  int epoll = epoll_create1(0);
  struct stream *streams = open_all(port, down ? 'D' : 'U', count, each, total - each * (uint64_t)count);
  double start = now_seconds();
  for (int i = 0; down && i < count; i++) send_all(streams[i].fd, "g", 1);
  for (int i = 0; i < count; i++)
    watch(epoll, EPOLL_CTL_ADD, streams[i].fd, down ? EPOLLIN : EPOLLOUT, (uintptr_t)&streams[i]);
  int done = 0;
  struct epoll_event events[256];
  while (done < count) {
    int ready = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      struct stream *s = (struct stream *)(uintptr_t)events[i].data.u64;
      if (!down && s->moved < s->length) push(epoll, s);
      else if (down ? pull(s) : check_count(s)) {
        watch(epoll, EPOLL_CTL_DEL, s->fd, 0, 0);
        done++;
      }
    }
  }
  double seconds = now_seconds() - start;
  for (int i = 0; down && i < count; i++) { /* the end may come late, but no further byte may */
    struct pollfd wait = {.fd = streams[i].fd, .events = POLLIN};
    if (poll(&wait, 1, 50) > 0 && recv(streams[i].fd, chunk, 1, 0) > 0) die("more bytes came than were sent");
  }
  printf("{\"seconds\":%.6f,\"bytes\":%llu,\"streams\":%d}\n", seconds, (unsigned long long)total, count);
  return 0;
}

/* Keeps N streams full until stdin ends: the neighbour of a latency measurement. */
int flood(int port, int count) {
  struct stream *streams = open_all(port, 'U', count, UINT64_MAX / 2, 0);
  int epoll = epoll_create1(0);
  watch(epoll, EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, 0);
  for (int i = 0; i < count; i++) watch(epoll, EPOLL_CTL_ADD, streams[i].fd, EPOLLOUT, (uintptr_t)&streams[i]);
  printf("{\"ready\":true}\n");
  fflush(stdout);
  double start = now_seconds();
  struct epoll_event events[64];
  for (int running = 1; running;) {
    int ready = epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < ready; i++) {
      if (events[i].data.u64 == 0) running = 0;
      else push(epoll, (struct stream *)(uintptr_t)events[i].data.u64);
    }
  }
  uint64_t bytes = 0;
  for (int i = 0; i < count; i++) bytes += streams[i].moved;
  printf("{\"seconds\":%.6f,\"bytes\":%llu}\n", now_seconds() - start, (unsigned long long)bytes);
  return 0;
}

/* Writes into streams that nobody reads until nothing has moved for two seconds; holds them for the memory figure. */
int stall(int port, int count) {
  struct stream *streams = open_all(port, 'S', count, UINT64_MAX / 2, 0);
  uint64_t bytes = 0;
  double last = now_seconds();
  while (now_seconds() - last < 2) {
    int moved = 0;
    for (int i = 0; i < count; i++) {
      ssize_t n = send(streams[i].fd, chunk, CHUNK, MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) die("send");
      if (n > 0) bytes += (uint64_t)n, moved = 1;
    }
    if (moved) last = now_seconds();
    else usleep(5000);
    if (bytes > (uint64_t)8 << 30) die("8 GiB went into a stalled reader: no back-pressure");
  }
  printf("{\"ready\":true,\"written\":%llu,\"streams\":%d}\n", (unsigned long long)bytes, count);
  hold_until_stdin_ends();
  return 0;
}
