enum CodingPlaceholder {}
