/*
 * What the parts of the load program share: sockets, clock, percentiles, and the tiny protocol of the sink.
 *
 * A stream's first byte is a command. 'e': everything, this byte included, is echoed. 'U', 'D', 'S' are followed by
 * a length (8 bytes, little-endian) and answered by one byte 'r' (the whole path stands), and then:
 *   U  the sink reads that many bytes and answers with the count it read (8 bytes);
 *   D  the sink waits for one more byte ('g': all streams stand), sends that many bytes and then its end;
 *   S  the sink never reads again.
 */
#ifndef LOAD_H
#define LOAD_H

#define _GNU_SOURCE /* accept4 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>
#include <arpa/inet.h>

/* One buffer for all streams: small enough for the caches (64 KiB was fastest of 64-1024); its content is no matter. */
#define CHUNK (64 * 1024)
#define HEADER 9

extern char chunk[CHUNK];

double now_seconds(void);
void die(const char *what);
void set_nonblocking(int fd);
/* Connects to 127.0.0.1:port and turns Nagle off; with `nonblocking` the connection may still be under way. */
int dial(int port, int nonblocking);
void send_all(int fd, const void *data, size_t length);
void receive_all(int fd, void *data, size_t length);
/* Opens a blocking stream with a command, waits for 'r', and returns it non-blocking. */
int open_stream(int port, char command, uint64_t length);
void watch(int epoll, int operation, int fd, uint32_t events, uint64_t data);
/* Sorts the samples (µs) and prints {"count","p50","p99","max"}. */
void print_percentiles(double *samples, size_t count);
/* Prints one line and waits until the harness closes our stdin. */
void hold_until_stdin_ends(void);

int serve(void);
int bulk(int port, int down, int streams, uint64_t total);
int flood(int port, int streams);
int stall(int port, int streams);
int ping(int port, int count, double seconds);
int paced(int port, int count, int interval_ms);
int storm(int port, int in_flight, double seconds);
int idle(int port, int streams);

#endif
