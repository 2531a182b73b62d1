#ifndef CMICROHTTPD_H
#define CMICROHTTPD_H

// The functions of libmicrohttpd that the server calls, under their own names: see CMicroHTTPD.c.
#include <microhttpd.h>

/// Loads the library, once; comes before all other calls. Why that cannot be, or null.
const char *CMicroHTTPD_load(void);

/// The socket of a connection, -1 if it is not known. The library's own call takes a variable list of arguments.
int CMicroHTTPD_socket(struct MHD_Connection *connection);

#endif
