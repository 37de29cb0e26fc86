#include "fonts/system_font.h"

#include <fontconfig/fontconfig.h>
#include <pango/pangoft2.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <string>

#include "core/log.h"
#include "core/printable.h"
#include "fonts/missing_characters.h"

namespace dfine::inline fonts {
namespace {

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
struct FreeDescription {
  void operator()(PangoFontDescription* d) const { pango_font_description_free(d); }
};
struct FreeIterator {
  void operator()(PangoLayoutIter* i) const { pango_layout_iter_free(i); }
};

/// Capitals of DejaVu Sans and Noto Sans have 0.73 and 0.71 of the font's size.
constexpr double kSizeOfCaps = 1 / 0.72;

class SystemFont : public LabelFont {
 public:
  SystemFont()
      : map_(pango_ft2_font_map_new()),
        context_(pango_font_map_create_context(map_.get())),
        description_(pango_font_description_from_string("sans-serif")) {
    pango_ft2_font_map_set_resolution(PANGO_FT2_FONT_MAP(map_.get()), 72, 72);
    pango_context_set_round_glyph_positions(context_.get(), FALSE);  // rounding would add up
  }

  TextMask render(std::string_view text, double cap_height, double width) const override {
    const std::lock_guard lock(mutex_);  // a font map belongs to one thread at a time
    const std::string line = printable(text);
    const std::unique_ptr<PangoLayout, Unref> layout(pango_layout_new(context_.get()));
    pango_font_description_set_absolute_size(description_.get(),
                                             std::round(cap_height * kSizeOfCaps) * PANGO_SCALE);
    pango_layout_set_font_description(layout.get(), description_.get());
    pango_layout_set_single_paragraph_mode(layout.get(), TRUE);
    pango_layout_set_text(layout.get(), line.data(), static_cast<int>(line.size()));
    shorten(*layout, width);
    note_missing(*layout);
    return paint(*layout, width);
  }

 private:
  static void shorten(PangoLayout& layout, double width) {
    int needed = 0;
    pango_layout_get_pixel_size(&layout, &needed, nullptr);
    if (needed <= width) return;
    pango_layout_set_ellipsize(&layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_width(&layout, std::max(static_cast<int>(width), 1) * PANGO_SCALE);
  }

  void note_missing(PangoLayout& layout) const {
    if (pango_layout_get_unknown_glyphs_count(&layout) == 0) return;
    const std::unique_ptr<PangoLayoutIter, FreeIterator> runs(pango_layout_get_iter(&layout));
    do {
      const PangoLayoutRun* run = pango_layout_iter_get_run_readonly(runs.get());
      for (int i = 0; run && i < run->glyphs->num_glyphs; ++i) {
        const PangoGlyph glyph = run->glyphs->glyphs[i].glyph;
        if (glyph != PANGO_GLYPH_EMPTY && glyph & PANGO_GLYPH_UNKNOWN_FLAG)
          missing_.add(glyph & ~PANGO_GLYPH_UNKNOWN_FLAG);
      }
    } while (pango_layout_iter_next_run(runs.get()));
  }

  /// The rows of the line's own height, which has room for marks, and what reaches outside.
  static TextMask paint(PangoLayout& layout, double width) {
    PangoRectangle ink, line;
    pango_layout_get_pixel_extents(&layout, &ink, &line);
    const int left = std::min(ink.x, line.x),
              right = std::max(ink.x + ink.width, line.x + line.width),
              top = std::min(ink.y, line.y),
              bottom = std::max(ink.y + ink.height, line.y + line.height);
    TextMask mask;
    if (ink.width <= 0 || line.width > width) return mask;
    mask.width = right - left;
    mask.height = bottom - top;
    mask.baseline = PANGO_PIXELS(pango_layout_get_baseline(&layout)) - top;
    mask.coverage.resize(static_cast<size_t>(mask.width) * static_cast<size_t>(mask.height));
    FT_Bitmap bitmap{};
    bitmap.rows = static_cast<unsigned>(mask.height);
    bitmap.width = static_cast<unsigned>(mask.width);
    bitmap.pitch = mask.width;
    bitmap.buffer = mask.coverage.data();
    bitmap.num_grays = 256;
    bitmap.pixel_mode = FT_PIXEL_MODE_GRAY;
    pango_ft2_render_layout(&bitmap, &layout, -left, -top);
    return mask;
  }

  std::unique_ptr<PangoFontMap, Unref> map_;
  std::unique_ptr<PangoContext, Unref> context_;
  std::unique_ptr<PangoFontDescription, FreeDescription> description_;
  mutable MissingCharacters missing_;
  mutable std::mutex mutex_;
};

/// Pango ends the process where there is no font at all.
bool has_fonts() {
  FcInit();
  const FcFontSet* fonts = FcConfigGetFonts(nullptr, FcSetSystem);
  return fonts && fonts->nfont > 0;
}

}  // namespace

std::unique_ptr<LabelFont> system_font() {
  if (has_fonts()) return std::make_unique<SystemFont>();
  log::warn(
      "there are no fonts here: labels have plain strokes for ASCII, and boxes for other "
      "characters. Install fonts-noto-core, and fonts-noto-cjk for Chinese, Japanese and Korean");
  return nullptr;
}

}  // namespace dfine::inline fonts
