#include "CShimsLibrary.h"
#include <pthread.h>
#include <stddef.h>

// What is defined here is not for the library, which has the same names.
#pragma GCC visibility push(hidden)
#include "CMicroHTTPD.h"

// Of which version 0.9.62 or later promises that they stay. A link would load the library, and the nine behind it, into every command.
#define LIBRARY "libmicrohttpd.so.12"
#define FUNCTIONS(F)                                                                                                   \
  F(struct MHD_Daemon *, MHD_start_daemon_va,                                                                          \
    (unsigned flags, uint16_t port, MHD_AcceptPolicyCallback policy, void *policyContext,                              \
     MHD_AccessHandlerCallback handler, void *handlerContext, va_list options),                                        \
    (flags, port, policy, policyContext, handler, handlerContext, options))                                            \
  F(void, MHD_stop_daemon, (struct MHD_Daemon * daemon), (daemon))                                                     \
  F(MHD_socket, MHD_quiesce_daemon, (struct MHD_Daemon * daemon), (daemon))                                            \
  F(void, MHD_suspend_connection, (struct MHD_Connection * connection), (connection))                                  \
  F(void, MHD_resume_connection, (struct MHD_Connection * connection), (connection))                                   \
  F(int, MHD_get_connection_values,                                                                                    \
    (struct MHD_Connection * connection, enum MHD_ValueKind kind, MHD_KeyValueIterator iterator, void *context),       \
    (connection, kind, iterator, context))                                                                             \
  F(enum MHD_Result, MHD_queue_response,                                                                               \
    (struct MHD_Connection * connection, unsigned status, struct MHD_Response *response),                              \
    (connection, status, response))                                                                                    \
  F(struct MHD_Response *, MHD_create_response_from_buffer,                                                            \
    (size_t size, void *bytes, enum MHD_ResponseMemoryMode mode), (size, bytes, mode))                                 \
  F(struct MHD_Response *, MHD_create_response_from_callback,                                                          \
    (uint64_t size, size_t blockSize, MHD_ContentReaderCallback reader, void *context,                                 \
     MHD_ContentReaderFreeCallback release),                                                                           \
    (size, blockSize, reader, context, release))                                                                       \
  F(void, MHD_destroy_response, (struct MHD_Response * response), (response))                                          \
  F(enum MHD_Result, MHD_add_response_header,                                                                          \
    (struct MHD_Response * response, const char *name, const char *value), (response, name, value))

#define DEFINE(result, name, parameters, arguments)                                                                    \
  static result(*loaded_##name) parameters;                                                                            \
  result name parameters { return loaded_##name arguments; }
FUNCTIONS(DEFINE)
#undef DEFINE

static const union MHD_ConnectionInfo *(*connectionInfo)(struct MHD_Connection *, enum MHD_ConnectionInfoType, ...);
static char failure[256];

static void load(void) {
#define LOOK_UP(result, name, parameters, arguments) {#name, &loaded_##name},
  const CShims_Function functions[] = {
      FUNCTIONS(LOOK_UP)
      {"MHD_get_connection_info", &connectionInfo},
  };
#undef LOOK_UP
  CShims_loadLibrary(LIBRARY, functions, sizeof functions / sizeof *functions, failure, sizeof failure);
}

const char *CMicroHTTPD_load(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return failure[0] == 0 ? NULL : failure;
}

int CMicroHTTPD_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = connectionInfo(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? (int)info->connect_fd : -1;
}

#pragma GCC visibility pop
