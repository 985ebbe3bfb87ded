"""Operations and their steps, compiled."""
