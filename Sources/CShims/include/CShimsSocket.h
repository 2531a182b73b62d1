#ifndef CSHIMS_SOCKET_H
#define CSHIMS_SOCKET_H
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/// Waits at most `milliseconds` for events on an epoll instance; fills `sockets` and `events`, returns how many (0: none, or a signal).
int CShims_epoll_wait(int epoll, int *sockets, uint32_t *events, int capacity, int milliseconds);
/// Starts (`isNew`) or changes watching a socket for `events`; 0 events on a watched one: errors only. 0 or -errno.
int CShims_epoll_watch(int epoll, int socket, uint32_t events, int isNew);
int CShims_epoll_unwatch(int epoll, int socket);

/// Datagrams received by one call: `slots` buffers of `slotByteCount` bytes. Opaque, because Glibc's module lacks mmsghdr.
typedef struct CShims_datagrams CShims_datagrams;
CShims_datagrams *CShims_datagrams_create(unsigned slots, size_t slotByteCount);
void CShims_datagrams_free(CShims_datagrams *d);
/// recvmmsg without waiting: the number of datagrams, or -errno.
int CShims_datagrams_receive(CShims_datagrams *d, int socket);
/// Bytes of datagram `index` of the last call, their number in `count`, whether it was cut in `truncated`.
const uint8_t *CShims_datagrams_at(const CShims_datagrams *d, unsigned index, size_t *count, int *truncated);

/// Sends `count` bytes at `bytes` as datagrams of at most `datagramByteCount`, each cut after a newline, over a connected
/// socket, at most `slots` a call; returns bytes sent (whole datagrams), or -errno.
long CShims_send_lines(int socket, const uint8_t *bytes, size_t count, size_t datagramByteCount, unsigned slots);

/// A listening TCP socket or a bound UDP socket, non-blocking, close-on-exec; or -errno. `address` is numeric; empty: every
/// interface (IPv6 socket that takes IPv4 too). `reuse` sets SO_REUSEPORT.
int CShims_listen_tcp(const char *address, uint16_t port);
int CShims_bind_udp(const char *address, uint16_t port, int reuse);
/// Writes "127.0.0.1:8094" or "[::1]:8094" of a socket's own side; 0 or -errno. `port` gets the number.
int CShims_local_address(int socket, char *text, size_t capacity, uint16_t *port);
/// accept4, non-blocking, close-on-exec; the peer's address as text; or -errno.
int CShims_accept(int socket, char *peer, size_t capacity);
/// Asks for a receive buffer of `byteCount` (SO_RCVBUFFORCE, then SO_RCVBUF); returns what the kernel gave.
int CShims_receive_buffer(int socket, int byteCount);
/// Datagrams that the kernel dropped on this socket (SO_MEMINFO), or -errno.
long long CShims_kernel_drops(int socket);
#endif
