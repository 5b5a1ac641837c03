/* Small and many: ping-pong, a new stream now and then, new streams by the thousand, streams that only stay open. */
#include "load.h"

static void round_trip(int fd) {
  char byte = 'e';
  send_all(fd, &byte, 1);
  receive_all(fd, &byte, 1);
  if (byte != 'e') die("another byte came back");
}

/* One byte there and back on one stream, `count` times or for `seconds`; the first 200 warm it up. */
int ping(int port, int count, double seconds) {
  int fd = dial(port, 0);
  for (int i = 0; i < 200; i++) round_trip(fd);
  double *samples = malloc(sizeof *samples * (size_t)count);
  double end = now_seconds() + seconds;
  int done = 0;
  for (; done < count && now_seconds() < end; done++) {
    double start = now_seconds();
    round_trip(fd);
    samples[done] = (now_seconds() - start) * 1e6;
  }
  print_percentiles(samples, (size_t)done);
  return 0;
}

/* A new stream every `interval_ms`: from connect to its first byte back. */
int paced(int port, int count, int interval_ms) {
  const int warm = 5;
  double *samples = malloc(sizeof *samples * (size_t)count);
  for (int i = -warm; i < count; i++) {
    double start = now_seconds();
    int fd = dial(port, 0);
    round_trip(fd);
    double took = now_seconds() - start;
    close(fd);
    if (i >= 0) samples[i] = took * 1e6;
    double left = interval_ms / 1e3 - took;
    if (left > 0) usleep((useconds_t)(left * 1e6));
  }
  print_percentiles(samples, (size_t)count);
  return 0;
}

/* Connects, or goes on where it stopped; 1 when the byte is back, 0 when not yet, -1 when the stream failed. */
static int advance(int fd, uint32_t events, char *state) {
  char byte = 'e';
  if (*state == 'c' && (events & (EPOLLOUT | EPOLLERR))) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error || send(fd, &byte, 1, MSG_NOSIGNAL) != 1) return -1;
    *state = 's';
    return 0;
  }
  ssize_t n = recv(fd, &byte, 1, 0);
  if (n < 0 && errno == EAGAIN) return 0;
  return n == 1 && byte == 'e' ? 1 : -1;
}

struct slot {
  int fd;
  char state; /* c connecting, s sent */
};

static void begin(int epoll, struct slot *slot, int port) {
  slot->fd = dial(port, 1);
  slot->state = 'c';
  watch(epoll, EPOLL_CTL_ADD, slot->fd, EPOLLOUT, (uintptr_t)slot);
}

/* New streams with `in_flight` at once: connect, a byte there and back, close. A fifth of the time warms it up. */
int storm(int port, int in_flight, double seconds) {
  int epoll = epoll_create1(0);
  struct slot *slots = calloc((size_t)in_flight, sizeof *slots);
  for (int i = 0; i < in_flight; i++) begin(epoll, &slots[i], port);
  double start = now_seconds() + seconds / 5, end = start + seconds;
  long count = 0, failed = 0;
  struct epoll_event events[256];
  double time;
  while ((time = now_seconds()) < end) {
    int ready = epoll_wait(epoll, events, 256, 100);
    for (int i = 0; i < ready; i++) {
      struct slot *slot = (struct slot *)(uintptr_t)events[i].data.u64;
      int result = advance(slot->fd, events[i].events, &slot->state);
      if (result == 0) {
        watch(epoll, EPOLL_CTL_MOD, slot->fd, EPOLLIN, (uintptr_t)slot);
        continue;
      }
      if (time >= start) *(result > 0 ? &count : &failed) += 1;
      close(slot->fd);
      begin(epoll, slot, port);
    }
  }
  printf("{\"count\":%ld,\"failed\":%ld,\"perSecond\":%.1f}\n", count, failed, (double)count / seconds);
  return 0;
}

/* Opens N streams, 50 at once, each proved by a byte there and back; holds them until stdin ends. */
int idle(int port, int streams) {
  int epoll = epoll_create1(0);
  struct slot *slots = calloc((size_t)streams, sizeof *slots);
  int begun = 0, open = 0;
  struct epoll_event events[256];
  while (open < streams) {
    while (begun < streams && begun - open < 50) begin(epoll, &slots[begun++], port);
    int ready = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      struct slot *slot = (struct slot *)(uintptr_t)events[i].data.u64;
      int result = advance(slot->fd, events[i].events, &slot->state);
      if (result < 0) die("a stream failed while the idle streams were opened");
      if (result == 0) watch(epoll, EPOLL_CTL_MOD, slot->fd, EPOLLIN, (uintptr_t)slot);
      else watch(epoll, EPOLL_CTL_DEL, slot->fd, 0, 0), open++;
    }
  }
  printf("{\"ready\":true,\"open\":%d}\n", open);
  hold_until_stdin_ends();
  return 0;
}
