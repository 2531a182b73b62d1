#include <microhttpd.h>

/* The socket of a connection, -1 if it is not known. The library's own call takes a variable list of arguments. */
static inline int CMicroHTTPD_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? (int)info->connect_fd : -1;
}
