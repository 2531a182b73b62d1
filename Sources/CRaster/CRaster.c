#include "CRaster.h"

#include <assert.h>
#include "CShimsLibrary.h"
#include <stdint.h>
#include <stdio.h>

// Declared here as the libraries' headers have them, of which the sonames promise that they stay: the headers would bring thirty
// packages into the build, and a link would load fifty libraries into every command.
typedef struct { // GError
  uint32_t domain;
  int code;
  char *message;
} Error;
typedef struct { // RsvgRectangle
  double x, y, width, height;
} Rectangle;
static_assert(offsetof(Error, message) == 8 && sizeof(Rectangle) == 32, "as in glib and librsvg");
enum { FORMAT_ARGB32 = 0, STATUS_SUCCESS = 0, STATUS_WRITE_ERROR = 11 };

// Each is looked up in librsvg and, behind it, in what that is linked with.
#define FUNCTIONS(F)                                                                                                   \
  F(void *, rsvg_handle_new_from_data, (const uint8_t *, size_t, Error **))                                            \
  F(int, rsvg_handle_render_document, (void *, void *, const Rectangle *, Error **))                                   \
  F(void *, cairo_image_surface_create, (int, int, int))                                                               \
  F(void *, cairo_create, (void *))                                                                                    \
  F(int, cairo_surface_status, (void *))                                                                               \
  F(const char *, cairo_status_to_string, (int))                                                                       \
  F(int, cairo_surface_write_to_png_stream, (void *, int (*)(void *, const unsigned char *, unsigned int), void *))    \
  F(void, cairo_destroy, (void *))                                                                                     \
  F(void, cairo_surface_destroy, (void *))                                                                             \
  F(void, g_object_unref, (void *))                                                                                    \
  F(void, g_error_free, (Error *))

typedef struct {
#define MEMBER(result, name, parameters) result(*name) parameters;
  FUNCTIONS(MEMBER)
#undef MEMBER
} Library;

static bool load(Library *library, char *error, size_t errorCapacity) {
#define LOOK_UP(result, name, parameters) {#name, &library->name},
  const CShims_Function functions[] = {FUNCTIONS(LOOK_UP)};
#undef LOOK_UP
  return CShims_loadLibrary("librsvg-2.so.2", functions, sizeof functions / sizeof *functions, error, errorCapacity);
}

typedef struct {
  CRaster_sink sink;
  void *context;
} Target;

static int write_bytes(void *context, const unsigned char *bytes, unsigned int count) {
  const Target *target = context;
  return target->sink(target->context, bytes, count) ? STATUS_SUCCESS : STATUS_WRITE_ERROR;
}

static bool render(const Library *library, void *handle, void *surface, const Rectangle *page, Error **failure) {
  void *cairo = library->cairo_create(surface);
  bool isDrawn = library->rsvg_handle_render_document(handle, cairo, page, failure);
  library->cairo_destroy(cairo);
  return isDrawn;
}

CRaster_outcome CRaster_drawPNG(
    const char *svg, size_t count, int width, int height, CRaster_sink sink, void *context, char *error, size_t errorCapacity) {
  Library library;
  if (!load(&library, error, errorCapacity)) return CRaster_missing;
  Error *failure = NULL;
  void *handle = library.rsvg_handle_new_from_data((const uint8_t *)svg, count, &failure);
  void *surface = library.cairo_image_surface_create(FORMAT_ARGB32, width, height);
  const Rectangle page = {0, 0, width, height};
  bool isDrawn = handle != NULL && render(&library, handle, surface, &page, &failure);
  // A surface that could not be made, or broke in drawing, is one that takes calls and has a status.
  int status = library.cairo_surface_status(surface);
  if (isDrawn && status == STATUS_SUCCESS) {
    Target target = {sink, context};
    status = library.cairo_surface_write_to_png_stream(surface, write_bytes, &target);
  }
  if (!isDrawn && failure != NULL) {
    snprintf(error, errorCapacity, "%s", failure->message);
  } else if (status != STATUS_SUCCESS) {
    snprintf(error, errorCapacity, "%s", library.cairo_status_to_string(status));
  } else {
    snprintf(error, errorCapacity, "librsvg gave no reason");
  }
  if (failure != NULL) library.g_error_free(failure);
  if (handle != NULL) library.g_object_unref(handle);
  library.cairo_surface_destroy(surface);
  return isDrawn && status == STATUS_SUCCESS ? CRaster_drawn : CRaster_failed;
}
