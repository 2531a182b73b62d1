#ifndef CRASTER_H
#define CRASTER_H
#include <stdbool.h>
#include <stddef.h>

/// Takes the next bytes of a picture; false stops the drawing.
typedef bool (*CRaster_sink)(void *context, const unsigned char *bytes, size_t count);

/// What became of a drawing.
typedef enum {
  CRaster_drawn = 1,
  /// librsvg is not installed; `error` is the loader's word on it.
  CRaster_missing = 2,
  /// The document was refused, or memory did not suffice; `error` says which.
  CRaster_failed = 3,
} CRaster_outcome;

/// Draws an SVG document as a PNG of `width` by `height` pixels and gives it to `sink` piece by piece.
///
/// librsvg, which brings cairo and glib, is loaded by the first call and stays: a command that draws nothing neither needs nor loads
/// it. `error` is cut at `errorCapacity` and always terminated.
CRaster_outcome CRaster_drawPNG(
    const char *svg, size_t count, int width, int height, CRaster_sink sink, void *context, char *error, size_t errorCapacity);
#endif
