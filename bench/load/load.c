/*
 * The load program's entry and what its parts share. `load serve` is the sink behind the tunnel; every other mode is
 * the generator in front of it. One thread, epoll, one reused buffer: it must never be what limits the result.
 */
#include "load.h"

char chunk[CHUNK];

double now_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void die(const char *what) {
  fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(1);
}

void set_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

int dial(int port, int nonblocking) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) die("socket");
  if (nonblocking) set_nonblocking(fd);
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) die("connect");
  return fd;
}

void send_all(int fd, const void *data, size_t length) {
  const char *at = data;
  while (length > 0) {
    ssize_t n = send(fd, at, length, MSG_NOSIGNAL);
    if (n <= 0) die("send");
    at += n;
    length -= (size_t)n;
  }
}

void receive_all(int fd, void *data, size_t length) {
  char *at = data;
  while (length > 0) {
    errno = 0;
    ssize_t n = recv(fd, at, length, 0);
    if (n <= 0) die(n == 0 ? "the stream ended early" : "recv");
    at += n;
    length -= (size_t)n;
  }
}

int open_stream(int port, char command, uint64_t length) {
  int fd = dial(port, 0);
  char header[HEADER] = {command};
  memcpy(header + 1, &length, sizeof length);
  send_all(fd, header, sizeof header);
  char answer;
  receive_all(fd, &answer, 1);
  if (answer != 'r') die("the sink did not answer 'r'");
  set_nonblocking(fd);
  return fd;
}

void watch(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data.u64 = data};
  if (epoll_ctl(epoll, operation, fd, &event) < 0) die("epoll_ctl");
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

void print_percentiles(double *samples, size_t count) {
  if (count == 0) die("no samples");
  qsort(samples, count, sizeof *samples, by_size);
  printf("{\"count\":%zu,\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}\n", count, samples[count / 2],
         samples[count * 99 / 100], samples[count - 1]);
  fflush(stdout);
}

void hold_until_stdin_ends(void) {
  char ignored[64];
  fflush(stdout);
  while (read(STDIN_FILENO, ignored, sizeof ignored) > 0)
    ;
}

int main(int argc, char **argv) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  memset(chunk, 'x', sizeof chunk);

  const char *mode = argc > 1 ? argv[1] : "";
  if (!strcmp(mode, "serve")) return serve();
  if (argc < 4) die("usage: load serve | MODE PORT ARGUMENTS...");
  int port = atoi(argv[2]);
  const char *third = argv[3];
  const char *fourth = argc > 4 ? argv[4] : "0";
  if (!strcmp(mode, "up")) return bulk(port, 0, atoi(third), strtoull(fourth, NULL, 10));
  if (!strcmp(mode, "down")) return bulk(port, 1, atoi(third), strtoull(fourth, NULL, 10));
  if (!strcmp(mode, "flood")) return flood(port, atoi(third));
  if (!strcmp(mode, "stall")) return stall(port, atoi(third));
  if (!strcmp(mode, "ping")) return ping(port, atoi(third), atof(fourth));
  if (!strcmp(mode, "paced")) return paced(port, atoi(third), atoi(fourth));
  if (!strcmp(mode, "storm")) return storm(port, atoi(third), atof(fourth));
  if (!strcmp(mode, "idle")) return idle(port, atoi(third));
  die("unknown mode");
  return 1;
}
