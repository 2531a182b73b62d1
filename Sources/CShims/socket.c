#define _GNU_SOURCE
#include "CShimsSocket.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

int CShims_epoll_wait(int epoll, int *sockets, uint32_t *events, int capacity, int milliseconds) {
  struct epoll_event found[64];
  int n = epoll_wait(epoll, found, capacity < 64 ? capacity : 64, milliseconds);
  for (int i = 0; i < n; i++) {
    sockets[i] = found[i].data.fd;
    events[i] = found[i].events;
  }
  return n < 0 ? 0 : n;
}

int CShims_epoll_watch(int epoll, int socket, uint32_t events, int isNew) {
  struct epoll_event event = {.events = events, .data.fd = socket};
  return epoll_ctl(epoll, isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event) < 0 ? -errno : 0;
}

int CShims_epoll_unwatch(int epoll, int socket) {
  return epoll_ctl(epoll, EPOLL_CTL_DEL, socket, NULL) < 0 ? -errno : 0;
}

struct CShims_datagrams {
  unsigned slots;
  size_t slotByteCount;
  struct mmsghdr *headers;
  struct iovec *vectors;
  uint8_t *bytes;
};

CShims_datagrams *CShims_datagrams_create(unsigned slots, size_t slotByteCount) {
  CShims_datagrams *d = calloc(1, sizeof *d);
  if (!d) return NULL;
  d->slots = slots;
  d->slotByteCount = slotByteCount;
  d->headers = calloc(slots, sizeof *d->headers);
  d->vectors = calloc(slots, sizeof *d->vectors);
  d->bytes = malloc(slots * slotByteCount);
  if (!d->headers || !d->vectors || !d->bytes) {
    CShims_datagrams_free(d);
    return NULL;
  }
  for (unsigned i = 0; i < slots; i++) {
    d->vectors[i] = (struct iovec){d->bytes + i * slotByteCount, slotByteCount};
    d->headers[i].msg_hdr.msg_iov = &d->vectors[i];
    d->headers[i].msg_hdr.msg_iovlen = 1;
  }
  return d;
}

void CShims_datagrams_free(CShims_datagrams *d) {
  if (!d) return;
  free(d->headers);
  free(d->vectors);
  free(d->bytes);
  free(d);
}

int CShims_datagrams_receive(CShims_datagrams *d, int socket) {
  int n;
  do n = recvmmsg(socket, d->headers, d->slots, MSG_DONTWAIT, NULL);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

const uint8_t *CShims_datagrams_at(const CShims_datagrams *d, unsigned index, size_t *count, int *truncated) {
  *count = d->headers[index].msg_len;
  *truncated = (d->headers[index].msg_hdr.msg_flags & MSG_TRUNC) != 0;
  return d->bytes + index * d->slotByteCount;
}

long CShims_send_lines(int socket, const uint8_t *bytes, size_t count, size_t datagramByteCount, unsigned slots) {
  enum { MAX = 64 };
  struct mmsghdr headers[MAX];
  struct iovec vectors[MAX];
  if (slots > MAX) slots = MAX;
  memset(headers, 0, sizeof headers);
  unsigned used = 0;
  size_t at = 0;
  while (at < count && used < slots) {
    size_t length = count - at;
    if (length > datagramByteCount) {
      const uint8_t *end = memrchr(bytes + at, '\n', datagramByteCount);
      length = end ? (size_t)(end - (bytes + at)) + 1 : datagramByteCount;
    }
    vectors[used] = (struct iovec){(void *)(bytes + at), length};
    headers[used].msg_hdr.msg_iov = &vectors[used];
    headers[used].msg_hdr.msg_iovlen = 1;
    used++;
    at += length;
  }
  int n;
  do n = sendmmsg(socket, headers, used, 0);
  while (n < 0 && errno == EINTR);
  if (n < 0) return -errno;
  long sent = 0;
  for (int i = 0; i < n; i++) sent += (long)vectors[i].iov_len;
  return sent;
}

static int bound(const char *address, uint16_t port, int type, int reuse) {
  struct sockaddr_storage storage;
  memset(&storage, 0, sizeof storage);
  struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
  socklen_t length;
  int both = 0;
  if (!*address || !strcmp(address, "*")) {
    v6->sin6_family = AF_INET6;
    v6->sin6_addr = in6addr_any;
    v6->sin6_port = htons(port);
    length = sizeof *v6;
    both = 1;
  } else if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    length = sizeof *v4;
  } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    length = sizeof *v6;
  } else {
    return -EINVAL;
  }
  int s = socket(storage.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, off = 0;
  if (s < 0 && both && errno == EAFNOSUPPORT) { // a machine without IPv6
    memset(&storage, 0, sizeof storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    length = sizeof *v4;
    s = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  }
  if (s < 0) return -errno;
  if (type == SOCK_STREAM) setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (storage.ss_family == AF_INET6) setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, both ? &off : &on, sizeof on);
  if (reuse) setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (bind(s, (struct sockaddr *)&storage, length) < 0 || (type == SOCK_STREAM && listen(s, 1024) < 0)) {
    int e = errno;
    close(s);
    return -e;
  }
  return s;
}

int CShims_listen_tcp(const char *address, uint16_t port) { return bound(address, port, SOCK_STREAM, 0); }
int CShims_bind_udp(const char *address, uint16_t port, int reuse) { return bound(address, port, SOCK_DGRAM, reuse); }

static int format(const struct sockaddr_storage *storage, char *text, size_t capacity, uint16_t *port) {
  char host[INET6_ADDRSTRLEN] = "";
  uint16_t p = 0;
  if (storage->ss_family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)storage;
    inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
    p = ntohs(v4->sin_port);
    snprintf(text, capacity, "%s:%u", host, p);
  } else if (storage->ss_family == AF_INET6) {
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)storage;
    inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
    p = ntohs(v6->sin6_port);
    snprintf(text, capacity, "[%s]:%u", host, p);
  } else {
    snprintf(text, capacity, "?");
  }
  if (port) *port = p;
  return 0;
}

int CShims_local_address(int socket, char *text, size_t capacity, uint16_t *port) {
  struct sockaddr_storage storage;
  socklen_t length = sizeof storage;
  if (getsockname(socket, (struct sockaddr *)&storage, &length) < 0) return -errno;
  return format(&storage, text, capacity, port);
}

int CShims_accept(int socket, char *peer, size_t capacity) {
  struct sockaddr_storage storage;
  socklen_t length = sizeof storage;
  int s;
  do s = accept4(socket, (struct sockaddr *)&storage, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  while (s < 0 && errno == EINTR);
  if (s < 0) return -errno;
  int on = 1;
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  format(&storage, peer, capacity, NULL);
  return s;
}

int CShims_receive_buffer(int socket, int byteCount) {
  if (setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &byteCount, sizeof byteCount) < 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &byteCount, sizeof byteCount);
  int got = 0;
  socklen_t length = sizeof got;
  getsockopt(socket, SOL_SOCKET, SO_RCVBUF, &got, &length);
  return got;
}

long long CShims_kernel_drops(int socket) {
  uint32_t info[16] = {0};
  socklen_t length = sizeof info;
  if (getsockopt(socket, SOL_SOCKET, SO_MEMINFO, info, &length) < 0) return -errno;
  return length >= 9 * sizeof(uint32_t) ? info[8] : 0;
}
